"""Secrets come from files and variables, and show nowhere."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.settings import SettingsError
from syncer.settings.loading import read
from tests.settings.support import LEAST, faults, loaded

SECRET = "9a0b4c5d-S3CRET"


def test_a_secret_is_read_from_its_file_without_the_blanks_around_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"\n{SECRET}\n", encoding="utf-8")
    consul = loaded(tmp_path, LEAST + "consul: {token_file: token}\n").consul
    assert consul.token is not None
    assert consul.token.get_secret_value() == SECRET
    assert consul.token_file == tmp_path / "token"


def test_settings_show_no_secret(tmp_path: Path) -> None:
    settings = loaded(tmp_path, LEAST + f"consul: {{token: {SECRET}}}\n")
    shown = (
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        repr(settings.model_dump()),
        f"{settings!s}",
    )
    assert not [text for text in shown if SECRET in text]
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes


@pytest.mark.parametrize("data", [b"", b" \n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_that_holds_no_secret_is_a_fault(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "token").write_bytes(data)
    assert "holds no secret" in faults(tmp_path, LEAST + "consul: {token_file: token}\n")[0]


def test_a_file_with_more_than_a_secret_is_a_fault_that_does_not_show_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"token: {SECRET}\n", encoding="utf-8")
    found = faults(tmp_path, LEAST + "consul: {token_file: token}\n")
    assert found[0].startswith("syncer.yaml:3: consul.token_file: the value is empty or has characters")
    assert SECRET not in found[0]


@pytest.mark.parametrize(
    "consul",
    [
        f"token: [{SECRET}]",
        f"token: {{{SECRET}: 1}}",
        f"token: {{value: {SECRET}}}",
        f"token:{SECRET}",
        f"tokn: {SECRET}",
        f'token: "a {SECRET}"',
        f"token: *{SECRET}",
        f"token: !{SECRET} a",
        f"token: '{SECRET}",
        f"token: &{SECRET} a, domain: &{SECRET} b",
        f"token: @{SECRET}",
        f"token: {SECRET}: x",
        f"address: http://user:{SECRET}@consul:8500",
        f"tls: {{verify: no}}, token: {SECRET}, token_file: x",
    ],
)
def test_a_mistake_beside_a_secret_does_not_show_it(tmp_path: Path, consul: str) -> None:
    found = faults(tmp_path, LEAST + f"consul: {{{consul}}}\n")
    assert not [fault for fault in found if SECRET in fault]


SCALARS = st.sampled_from([SECRET, f"a {SECRET}", "${TOKEN}", "${NONE}", "5", "true", "", "x y"])
VALUES = st.recursive(
    SCALARS.map(lambda text: f'"{text}"'),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda items: f"[{', '.join(items)}]")
        | inner.map(lambda item: f"{{key: {item}}}")
    ),
    max_leaves=3,
)


@given(
    token=VALUES,
    other=st.dictionaries(
        st.sampled_from(["address", "timeout", "tls", "watch", "domain", "token_file"]),
        st.sampled_from(["5", "[1]", "{a: b}", "true", "http://a:1"]),
    ),
    environ=st.dictionaries(
        st.sampled_from(["TOKEN", "SYNCER_CONSUL__TOKEN", "CONSUL_HTTP_TOKEN", "SYNCER_CONSUL__TOKE"]),
        st.sampled_from([SECRET, f"a {SECRET}"]),
    ),
)
def test_no_message_and_no_settings_ever_show_the_token(
    token: str, other: Mapping[str, str], environ: Mapping[str, str]
) -> None:
    lines = [f"  {key}: {value}" for key, value in {"token": token, **other}.items()]
    text = LEAST + "consul:\n" + "\n".join(lines)
    try:
        shown = repr(read(text, "syncer.yaml", Path(), environ))
    except SettingsError as e:
        shown = f"{e} {e!r} {e.faults!r}"
    assert SECRET not in shown
