from pathlib import Path

import pytest

from syncer.core.model import Skip
from syncer.core.names import Naming, suggest, translate
from syncer.settings import SettingsError, load
from tests.core.values import ENTRIES
from tests.settings.support import LEAST, faults, loaded


def test_an_owner_and_one_namespace_are_enough(tmp_path: Path) -> None:
    settings = loaded(tmp_path, LEAST)
    namespace = settings.namespaces[0]
    assert (settings.owner, namespace.name) == ("vpc-prod", "corp.internal")
    assert settings.consul.address == "http://127.0.0.1:8500"
    assert namespace.consul_to_cloudmap.enabled
    assert namespace.cloudmap_to_consul.enabled
    assert (settings.intervals.full, settings.intervals.debounce) == (600, 0.05)
    assert (settings.http.address, settings.http.port) == ("127.0.0.1", 9110)


def test_a_key_without_a_value_counts_as_not_written(tmp_path: Path) -> None:
    text = LEAST + "consul:\nhttp:\n  port:\nlog: ~\naws: {region: null}\n"
    assert loaded(tmp_path, text) == loaded(tmp_path, LEAST)


def test_a_word_that_yaml_would_take_for_something_else_stays_a_text(tmp_path: Path) -> None:
    text = """
owner: 0123
namespaces:
  - name: 1.10
    consul_to_cloudmap: {include: [no, 2026-11-21], rename: {on: yes}}
"""
    settings = loaded(tmp_path, text)
    direction = settings.namespaces[0].consul_to_cloudmap
    assert (settings.owner, settings.namespaces[0].name) == ("0123", "1.10")
    assert (direction.include, direction.rename) == (("no", "2026-11-21"), {"on": "yes"})


def test_a_section_with_a_switch_may_be_one_word(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        "owner: a\nhttp: off\nnamespaces: [{name: b, create: false, cloudmap_to_consul: no}]\n",
    )
    assert not settings.http.enabled
    assert settings.namespaces[0].create is None
    assert not settings.namespaces[0].cloudmap_to_consul.enabled
    assert settings.namespaces[0].consul_to_cloudmap.enabled


def test_a_namespace_takes_from_the_defaults_what_it_does_not_say(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        """
owner: a
defaults:
  consul_to_cloudmap:
    ttl: 1m
    include: [web, api]
    attributes: {team: all, dc: dc1}
    prefix: x-
  cloudmap_to_consul: false
namespaces:
  - name: plain
  - name: own
    consul_to_cloudmap: {include: [db], attributes: {team: web}, prefix: ""}
    cloudmap_to_consul: {enabled: true}
  - name: quiet
    consul_to_cloudmap: false
    cloudmap_to_consul: {prefix: y-}
""",
    )
    plain, own, quiet = settings.namespaces
    assert plain.consul_to_cloudmap == settings.defaults.consul_to_cloudmap
    assert not plain.cloudmap_to_consul.enabled
    assert own.consul_to_cloudmap.ttl == 60
    assert own.consul_to_cloudmap.include == ("db",)
    assert own.consul_to_cloudmap.attributes == {"team": "web", "dc": "dc1"}
    assert own.consul_to_cloudmap.prefix == ""
    assert own.cloudmap_to_consul.enabled
    assert not quiet.consul_to_cloudmap.enabled
    assert quiet.consul_to_cloudmap.ttl == 60
    assert (quiet.cloudmap_to_consul.enabled, quiet.cloudmap_to_consul.prefix) == (False, "y-")


def test_a_namespace_may_leave_out_what_the_defaults_say_by_writing_nothing(tmp_path: Path) -> None:
    text = (
        "owner: a\ndefaults: {consul_to_cloudmap: {ttl: 1m}}\nnamespaces: [{name: b, consul_to_cloudmap: }]\n"
    )
    assert loaded(tmp_path, text).namespaces[0].consul_to_cloudmap.ttl == 60


def test_a_fault_in_the_defaults_is_told_once_whatever_inherits_it(tmp_path: Path) -> None:
    text = "owner: a\ndefaults:\n  consul_to_cloudmap: {ttl: x}\nnamespaces: [{name: b}, {name: c}]\n"
    found = faults(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith("syncer.yaml:3: defaults.consul_to_cloudmap.ttl: 'x' is no duration")


def test_a_fault_that_a_namespace_makes_of_the_defaults_is_told(tmp_path: Path) -> None:
    text = """
owner: a
defaults: {consul_to_cloudmap: {rename: {web: www}}}
namespaces: [{name: b, consul_to_cloudmap: {rename: {site: www}}}]
"""
    assert ["are both renamed to 'www'" in fault for fault in faults(tmp_path, text)] == [True]


@pytest.mark.parametrize(
    ("inherited", "path"),
    [("defaults: [1]", "defaults"), ("defaults: {consul_to_cloudmap: [1]}", "defaults.consul_to_cloudmap")],
)
def test_defaults_that_are_no_mapping_are_one_fault(tmp_path: Path, inherited: str, path: str) -> None:
    text = f"owner: a\n{inherited}\nnamespaces: [{{name: b, consul_to_cloudmap: {{ttl: 1s}}}}]\n"
    found = faults(tmp_path, text)
    assert found == [f"syncer.yaml:2: {path}: a list is no mapping; write keys with values below it"]


def test_aliases_and_merge_keys_are_taken(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        """
owner: a
namespaces:
  - name: first
    region: eu-west-1
    consul_to_cloudmap: &both {ttl: 20s, records: [A, SRV]}
  - name: second
    consul_to_cloudmap: *both
  - name: third
    consul_to_cloudmap:
      <<: [{ttl: 30s}, *both]
      records: [SRV]
  - name: fourth
    consul_to_cloudmap: {<<: *both}
""",
    )
    directions = [item.consul_to_cloudmap for item in settings.namespaces]
    assert [item.ttl for item in directions] == [20, 20, 30, 20]
    assert [item.records for item in directions] == [("A", "SRV"), ("A", "SRV"), ("SRV",), ("A", "SRV")]


def test_aliases_that_would_grow_without_bounds_are_a_fault(tmp_path: Path) -> None:
    levels = "\n".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]" for i in range(9))
    found = faults(tmp_path, f"a0: &a0 [x]\n{levels}\n{LEAST}")
    assert sum("too many aliases" in fault for fault in found) == 1


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    assert loaded(tmp_path, "\ufeff" + LEAST) == loaded(tmp_path, LEAST)


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml: cannot be read \(No such file or directory\)"):
        load(tmp_path / "nowhere.yaml", {})
    with pytest.raises(SettingsError, match=r"cannot be read \(Is a directory\)"):
        load(tmp_path, {})


@pytest.mark.parametrize(
    "data", [b"owner: \xff\xfe\n", b"owner: a\x00b", b"owner: \x07", b"%YAML 1.\n", b"\xef"]
)
def test_bytes_that_are_no_yaml_are_a_fault(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "syncer.yaml"
    file.write_bytes(data)
    with pytest.raises(SettingsError):
        load(file, {})


@pytest.mark.parametrize(
    "text", ['owner: "\\UFFFFFFFF"', "[" * 5_000, "%YAML " + "9" * 5_000 + ".1\n---\na: 1"]
)
def test_yaml_that_its_library_stumbles_over_is_a_fault(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text) == ["syncer.yaml: is no YAML that can be read; write plain keys and values"]


def test_a_character_that_yaml_does_not_allow_is_told_with_its_line(tmp_path: Path) -> None:
    assert faults(tmp_path, LEAST + "\n\x07")[0].startswith("syncer.yaml:4: has a character")


def test_relative_files_start_at_the_settings_files_folder(tmp_path: Path) -> None:
    for name in ("ca.pem", "client.pem", "key.pem"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    settings = loaded(
        tmp_path,
        LEAST
        + "consul:\n  address: https://consul:8501\n  tls:\n    ca_file: ca.pem\n    cert_file: client.pem\n"
        f"    key_file: {tmp_path}/key.pem\n",
    )
    tls = settings.consul.tls
    assert (tls.ca_file, tls.cert_file, tls.key_file) == tuple(
        tmp_path / name for name in ("ca.pem", "client.pem", "key.pem")
    )


def test_a_path_with_a_null_character_is_a_fault(tmp_path: Path) -> None:
    text = LEAST + 'consul: {address: "https://a", token_file: "a\\0b", tls: {ca_file: "a\\0b"}}\n'
    assert [fault.split(": ", 2)[1:] for fault in faults(tmp_path, text)] == [
        ["consul.token_file", "is no path; write the path of a file"],
        ["consul.tls.ca_file", "'a\\x00b' is no path; write the path of a file"],
    ]


def test_a_key_with_odd_characters_stays_on_one_line(tmp_path: Path) -> None:
    text = LEAST + 'defaults: {consul_to_cloudmap: {rename: {"a\\nb": "c d"}}}\n'
    assert [fault.count("\n") for fault in faults(tmp_path, text)] == [0]


@pytest.mark.parametrize(
    "name", ["ümlaut", "legacy api", "x" * 200, "it's", 'say "so"', "back\\slash", "two\nlines"]
)
def test_the_advice_for_a_name_that_cannot_be_carried_can_be_written(tmp_path: Path, name: str) -> None:
    advised = translate(name, Naming(), ENTRIES)
    assert isinstance(advised, Skip)
    written = advised.advice.removeprefix("write ")
    settings = loaded(tmp_path, LEAST + f"defaults: {{consul_to_cloudmap: {{{written}}}}}\n")
    assert settings.namespaces[0].consul_to_cloudmap.rename == {name: suggest(name)}


def test_problems_between_sound_keys_are_told_beside_faulty_keys(tmp_path: Path) -> None:
    text = """
owner: "not sound"
aws: 5
namespaces:
  - name: a.internal
    create: {type: private, zzz: 1}
    consul_to_cloudmap: {records: [A, CNAME], ttl: x}
  - [b.internal]
  - name: c.internal
  - name: C.internal
"""
    found = "\n".join(faults(tmp_path, text))
    for part in (
        "owner: ",
        "aws: ",
        "create.zzz",
        "create.vpc: is missing",
        "has CNAME beside",
        "ttl",
        "[1]: a list",
    ):
        assert part in found
    assert "namespaces[3]: may be the same as namespaces[2]" in found


def test_a_problem_that_rests_on_a_faulty_key_is_not_told(tmp_path: Path) -> None:
    text = """
owner: a
consul: {address: htp://consul, tls: {cert_file: missing, key_file: syncer.yaml}}
aws: {role_arn: x, external_id: abc}
namespaces: [{name: corp.internal}, {name: corp.internal, region: Ireland}]
"""
    assert [fault.split(": ")[1] for fault in faults(tmp_path, text)] == [
        "consul.address",
        "consul.tls.cert_file",
        "aws.role_arn",
        "namespaces[1].region",
    ]
