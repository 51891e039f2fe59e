import pytest

from syncer.core.names import Naming
from syncer.systems.route53.names import name_problem, plain, within


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Web.Example.COM.", "web.example.com"),
        ("\\052.example.com.", "*.example.com"),
        ("a\\040b.example.com", "a b.example.com"),
        ("example.com", "example.com"),
    ],
)
def test_a_name_has_one_form(given: str, expected: str) -> None:
    assert plain(given) == expected


@pytest.mark.parametrize("name", ["web.example.com", "a.b.example.com", "_srv.example.com", "example.com"])
def test_names_in_the_zone_are_carried(name: str) -> None:
    assert name_problem(name, "example.com") is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("web", "end in .example.com"),
        ("web.example.org", "end in .example.com"),
        ("webexample.com", "end in .example.com"),
        ("Web.example.com", "lower case"),
        ("a b.example.com", "letters, digits"),
        ("-a.example.com", "letters, digits"),
        ("a..example.com", "letters, digits"),
        ("*.example.com", "letters, digits"),
        (f"{'a' * 64}.example.com", "1 to 63"),
        (f"{'.'.join(['a' * 60] * 5)}.example.com", "at most 253"),
    ],
)
def test_other_names_are_not_and_the_reason_is_told(name: str, reason: str) -> None:
    problem = name_problem(name, "example.com")
    assert problem is not None
    assert reason in problem


def test_a_plain_source_gets_names_in_the_zone_and_back() -> None:
    naming = within(
        Naming(prefix="x-", suffix="-pub", renames={"api": "a", "old": "old.example.com"}), "Example.com."
    )
    assert naming.forward("web") == "x-web-pub.example.com"
    assert naming.back("x-web-pub.example.com") == "web"
    assert naming.forward("api") == "a.example.com"
    assert naming.forward("old") == "old.example.com"
    assert naming.back("web.example.org") is None
