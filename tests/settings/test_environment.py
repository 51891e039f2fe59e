from pathlib import Path

import pytest

from syncer.settings.environment import variables
from tests.settings.support import LEAST, faults, loaded


def test_a_variable_stands_for_its_value(tmp_path: Path) -> None:
    text = """
owner: ${NAME}-${STAGE:-prod}
consul: {address: "${ADDR}", datacenter: "${EMPTY:-dc1}", timeout: "${SECONDS}"}
http: {port: "${PORT}", enabled: "${ON}"}
namespaces: [{name: $${x}.$HOME}]
"""
    environ = {
        "NAME": "vpc",
        "ADDR": "http://c:1",
        "EMPTY": "",
        "SECONDS": "3",
        "PORT": "8080",
        "ON": "false",
    }
    settings = loaded(tmp_path, text.replace("[{name: $${x}.$HOME}]", "\n  - name: $${x}.$HOME"), environ)
    assert settings.owner == "vpc-prod"
    assert (settings.consul.address, settings.consul.datacenter, settings.consul.timeout) == (
        "http://c:1",
        "dc1",
        3,
    )
    assert (settings.http.port, settings.http.enabled) == (8080, False)
    assert settings.namespaces[0].name == "${x}.$HOME"


def test_what_a_variable_holds_is_not_looked_into_again(tmp_path: Path) -> None:
    text = "owner: a\nnamespaces:\n  - name: ${A}\n"
    assert loaded(tmp_path, text, {"A": "${B}"}).namespaces[0].name == "${B}"


def test_an_empty_variable_leaves_a_bare_key_unwritten_and_a_quoted_one_empty(tmp_path: Path) -> None:
    assert loaded(tmp_path, LEAST + "consul:\n  datacenter: ${DC:-}\n").consul.datacenter is None
    assert "is no name that Consul takes" in faults(tmp_path, LEAST + 'consul: {datacenter: "${DC:-}"}')[0]


def test_a_variable_may_turn_a_section_off(tmp_path: Path) -> None:
    assert not loaded(tmp_path, LEAST + "http: ${PAGE}\n", {"PAGE": "false"}).http.enabled


def test_a_message_shows_the_variables_name_and_not_what_it_holds(tmp_path: Path) -> None:
    found = faults(
        tmp_path, LEAST + "log:\n  level: ${CONSUL_HTTP_TOKEN}\n", {"CONSUL_HTTP_TOKEN": "9a0b4c5d"}
    )
    assert "'${CONSUL_HTTP_TOKEN}' is none of the words" in found[0]
    assert "9a0b4c5d" not in found[0]


def test_a_variable_comes_before_the_file(tmp_path: Path) -> None:
    text = (
        LEAST + "consul: {address: http://file:1}\nhttp: false\ndefaults: {consul_to_cloudmap: {ttl: 5s}}\n"
    )
    environ = {
        "SYNCER_OWNER": "other",
        "SYNCER_CONSUL__ADDRESS": "http://environment:2",
        "SYNCER_CONSUL__TLS__SERVER_NAME": "consul",
        "SYNCER_HTTP__PORT": "1234",
        "SYNCER_DEFAULTS__CONSUL_TO_CLOUDMAP__TTL": "9s",
        "SYNCER_LOG__LEVEL": "",
        "SYNCER_CONFIG": "/etc/syncer.yaml",
    }
    settings = loaded(tmp_path, text, environ)
    assert settings.owner == "other"
    assert settings.consul.address == "http://environment:2"
    assert settings.consul.tls.server_name == "consul"
    assert (settings.http.enabled, settings.http.port) == (False, 1234)
    assert settings.namespaces[0].consul_to_cloudmap.ttl == 9
    assert settings.log.level == "info"


def test_the_owner_may_come_from_a_variable_alone(tmp_path: Path) -> None:
    text = "consul:\nnamespaces: [{name: a}]\n"
    settings = loaded(tmp_path, text, {"SYNCER_OWNER": "me", "SYNCER_CONSUL__DOMAIN": "local"})
    assert (settings.owner, settings.consul.domain) == ("me", "local")


def test_a_bad_value_in_a_variable_is_told_with_its_name(tmp_path: Path) -> None:
    assert faults(tmp_path, LEAST, {"SYNCER_LOG__LEVEL": "loud"}) == [
        "SYNCER_LOG__LEVEL: log.level: 'loud' is none of the words it can be; write debug, info, warning or error"
    ]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("SYNCER_LOGLEVEL", "did you mean SYNCER_LOG__LEVEL?"),
        ("SYNCER_CONFG", "did you mean SYNCER_CONFIG?"),
        ("SYNCER_CONSUL_ADDRESS", "did you mean SYNCER_CONSUL__ADDRESS?"),
        ("SYNCER_9", "unset it; the reference of the settings lists all"),
    ],
)
def test_a_variable_that_names_no_setting_is_a_fault(tmp_path: Path, name: str, remedy: str) -> None:
    found = faults(tmp_path, LEAST, {name: "x"})
    assert found == [f"{name}: names no setting that a variable can hold; {remedy}"]


@pytest.mark.parametrize(
    ("name", "kind", "key"),
    [
        ("SYNCER_NAMESPACES", "list", "namespaces"),
        ("SYNCER_NAMESPACES__0__NAME", "list", "namespaces"),
        ("SYNCER_AWS__RATES", "mapping", "aws.rates"),
        ("SYNCER_AWS__RATES__LISTNAMESPACES__RATE", "mapping", "aws.rates"),
        ("SYNCER_DEFAULTS__CONSUL_TO_CLOUDMAP__RENAME", "mapping", "defaults.consul_to_cloudmap.rename"),
    ],
)
def test_what_no_variable_can_hold_belongs_into_the_file(
    tmp_path: Path, name: str, kind: str, key: str
) -> None:
    assert faults(tmp_path, LEAST, {name: "x"}) == [
        f"{name}: names a {kind}, which no variable can hold; write {key} into the settings file"
    ]


@pytest.mark.parametrize("name", ["SYNCER_LEASE", "SYNCER_HTTP", "SYNCER_DEFAULTS__CONSUL_TO_CLOUDMAP"])
def test_a_switch_is_turned_by_the_variable_of_its_key(tmp_path: Path, name: str) -> None:
    assert faults(tmp_path, LEAST, {name: "true"}) == [
        f"{name}: names a section, not a setting; did you mean {name}__ENABLED?"
    ]


def test_unknown_variables_are_told_even_if_the_file_is_no_yaml(tmp_path: Path) -> None:
    assert len(faults(tmp_path, "owner: [", {"SYNCER_XYZ": "1"})) == 2


def test_what_kubernetes_sets_for_a_service_called_syncer_is_no_setting(tmp_path: Path) -> None:
    environ = {
        "SYNCER_SERVICE_HOST": "10.0.0.1",
        "SYNCER_SERVICE_PORT": "9110",
        "SYNCER_SERVICE_PORT_HTTP": "9110",
        "SYNCER_PORT": "tcp://10.0.0.1:9110",
        "SYNCER_PORT_9110_TCP": "tcp://10.0.0.1:9110",
        "SYNCER_PORT_9110_TCP_ADDR": "10.0.0.1",
    }
    assert loaded(tmp_path, LEAST, environ) == loaded(tmp_path, LEAST)


def test_a_variable_below_something_that_is_no_section_leaves_the_fault_to_the_file(tmp_path: Path) -> None:
    found = faults(
        tmp_path, LEAST + "consul: [1]\n", {"SYNCER_CONSUL__DOMAIN": "x", "CONSUL_HTTP_ADDR": "a:1"}
    )
    assert [fault.split(";")[0] for fault in found] == ["syncer.yaml:3: consul: a list is no mapping"]


def test_consuls_own_variables_count_where_nothing_else_is_written(tmp_path: Path) -> None:
    environ = {"CONSUL_HTTP_ADDR": "https://consul:8501", "CONSUL_HTTP_TOKEN": "9a0b"}
    consul = loaded(tmp_path, LEAST + "consul: {address: }\n", environ).consul
    assert consul.token is not None
    assert (consul.address, consul.token.get_secret_value()) == ("https://consul:8501", "9a0b")
    written = loaded(tmp_path, LEAST + "consul: {address: http://a:1, token: 1234}\n", environ).consul
    assert written.token is not None
    assert (written.address, written.token.get_secret_value()) == ("http://a:1", "1234")


@pytest.mark.parametrize(
    ("secure", "address"), [("", "http://a:1"), ("true", "https://a:1"), ("0", "http://a:1")]
)
def test_consuls_address_may_lack_its_scheme_as_in_its_own_tools(
    tmp_path: Path, secure: str, address: str
) -> None:
    environ = {"CONSUL_HTTP_ADDR": "a:1", "CONSUL_HTTP_SSL": secure}
    assert loaded(tmp_path, LEAST, environ).consul.address == address


def test_a_token_file_of_consuls_comes_before_a_token_of_consuls(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n", encoding="utf-8")
    environ = {"CONSUL_HTTP_TOKEN": "x", "CONSUL_HTTP_TOKEN_FILE": str(tmp_path / "token")}
    token = loaded(tmp_path, LEAST, environ).consul.token
    assert token is not None
    assert token.get_secret_value() == "from-file"


def test_a_token_in_a_variable_displaces_the_token_file_and_the_other_way_round(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file", encoding="utf-8")
    token = loaded(
        tmp_path, LEAST + "consul: {token_file: token}\n", {"SYNCER_CONSUL__TOKEN": "x"}
    ).consul.token
    assert token is not None
    assert token.get_secret_value() == "x"
    other = loaded(
        tmp_path, LEAST + "consul: {token: y}\n", {"SYNCER_CONSUL__TOKEN_FILE": "token"}
    ).consul.token
    assert other is not None
    assert other.get_secret_value() == "from-file"


def test_no_two_settings_share_a_variable() -> None:
    known = variables()
    assert len(set(known.values())) == len(known)
    assert known["SYNCER_CONSUL__WATCH__NARROW"] == ("consul", "watch", "narrow")
    assert not any("NAMESPACES" in name or "RATES" in name for name in known)
