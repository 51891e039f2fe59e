"""``syncer doctor`` prints one line for each finding, and its exit code says whether there is a fault."""

import json
from pathlib import Path

import pytest

from syncer.app.doctor.findings import Finding, fault, levels, ok, some, warning
from syncer.cli.doctor import findings_json, line
from tests.cli.process import syncer
from tests.e2e.world import World


def test_where_all_is_well_the_exit_code_is_0(world: World) -> None:
    done = syncer("doctor", "-c", world.file(world.tree()))
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, last = done.stdout.splitlines()
    assert all(text.split(maxsplit=1)[0] in {"ok", "warning"} for text in lines)
    assert last.startswith("0 faults, ")


def test_a_fault_makes_the_exit_code_1_and_json_carries_the_same(world: World) -> None:
    tree = world.tree({"consul": {"address": "http://127.0.0.1:1"}})
    done = syncer("doctor", "--json", "-c", world.file(tree, "away.yaml"))
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["summary"]["fault"] == sum(item["level"] == "fault" for item in told["findings"]) >= 1
    assert {"level", "about", "what", "advice"} == set(told["findings"][0])
    assert any(item["about"] == "Consul" and item["level"] == "fault" for item in told["findings"])


def test_the_token_is_in_no_line(world: World) -> None:
    token = "5b0f3c1e-5ec2-e7a1-0000-70ce00000000"
    done = syncer("doctor", "-c", world.file(world.tree({"consul": {"token": token}}), "token.yaml"))
    assert token not in done.stdout + done.stderr


def test_policies_are_printed_without_asking_anybody(tmp_path: Path) -> None:
    config = tmp_path / "syncer.yaml"
    config.write_text(
        "owner: vpc-a\nconsul: {address: 'http://192.0.2.1:1'}\n"
        "namespaces: [{name: corp.internal, cloudmap_to_consul: {prefix: aws-}}]\n"
    )
    done = syncer("doctor", "--print-policies", "--json", "-c", config, timeout=20)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["iam"]["the identity that runs syncer"]["Version"] == "2012-10-17"
    assert 'service_prefix "aws-" { policy = "write" }' in told["consul"]
    text = syncer("doctor", "--print-policies", "-c", config, timeout=20).stdout
    assert told["consul"] in text
    first = text.index("{")
    document, _ = json.JSONDecoder().raw_decode(text[first:])
    assert document == told["iam"]["the identity that runs syncer"]


def test_settings_that_cannot_be_used_end_with_2(tmp_path: Path) -> None:
    done = syncer("doctor", "-c", tmp_path / "missing.yaml")
    assert done.returncode == 2
    assert "cannot be read" in done.stderr


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        pytest.param(ok("Consul", "it answers"), "ok      Consul: it answers", id="ok"),
        pytest.param(warning("a", "odd", "look"), "warning a: odd → look", id="with-advice"),
        pytest.param(
            fault("a", "two\nlines", "do"), "fault   a: two lines → do", id="never-more-than-one-line"
        ),
    ],
)
def test_a_finding_is_one_line(finding: Finding, text: str) -> None:
    assert line(finding) == text


def test_levels_are_counted_even_where_there_are_none() -> None:
    assert levels([ok("a", "b"), fault("a", "b")]) == {"ok": 1, "warning": 0, "fault": 1}
    assert findings_json([])["summary"] == {"ok": 0, "warning": 0, "fault": 0}


def test_long_lists_are_cut_and_say_so() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(map(str, range(7)), 5) == "0, 1, 2, 3, 4 and 2 more"
