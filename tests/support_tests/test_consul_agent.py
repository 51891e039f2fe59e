"""The agent that all other tests stand on does what its docstrings say."""

from collections.abc import Iterator

import dns.exception
import pytest
import urllib3

from tests.support.consul_agent import ConsulAgent, ConsulCallError
from tests.support.wait import eventually


@pytest.fixture(scope="module")
def shared() -> Iterator[ConsulAgent]:
    with ConsulAgent() as agent:
        yield agent


@pytest.fixture(scope="module")
def guarded() -> Iterator[ConsulAgent]:
    with ConsulAgent(acl=True, tls=True) as agent:
        yield agent


def test_a_registered_instance_is_what_a_resolver_answers(shared: ConsulAgent) -> None:
    shared.register("web", "web-1", "10.1.0.1", 8080, tags=["blue"], meta={"team": "a"})
    shared.register("web", "web-2", "10.1.0.2", 8081, node="elsewhere")

    assert shared.dns("web.service.consul") == ["10.1.0.1", "10.1.0.2"]
    assert shared.dns("blue.web.service.consul") == ["10.1.0.1"]
    assert [record.split()[2] for record in shared.dns("_web._tcp.service.consul", "SRV")] == ["8080", "8081"]
    assert shared.dns("nobody.service.consul") == []
    first = next(e for e in shared.catalog("web") if e["ServiceID"] == "web-1")
    assert (first["ServiceTags"], first["ServiceMeta"]) == (["blue"], {"team": "a"})


def test_a_critical_instance_leaves_the_dns_answer_and_comes_back(shared: ConsulAgent) -> None:
    shared.register("sick", "sick-1", "10.2.0.1", 80)
    shared.register("sick", "sick-2", "10.2.0.2", 80)

    shared.set_check("sick-1", "critical", "out of breath")
    assert shared.dns("sick.service.consul") == ["10.2.0.2"]
    outputs = {check["ServiceID"]: check["Output"] for e in shared.health("sick") for check in e["Checks"]}
    assert outputs == {"sick-1": "out of breath", "sick-2": ""}

    shared.set_check("sick-1", "passing")
    assert shared.dns("sick.service.consul") == ["10.2.0.1", "10.2.0.2"]


def test_an_instance_of_the_agent_itself_has_a_check_that_can_be_set(shared: ConsulAgent) -> None:
    shared.agent_register("local", "local-1", "10.3.0.1", 80)
    eventually(lambda: shared.dns("local.service.consul") == ["10.3.0.1"], message="the name answers")

    shared.set_check("local-1", "critical")
    eventually(lambda: not shared.dns("local.service.consul"), message="the critical instance leaves")

    shared.deregister("local-1")
    eventually(lambda: not shared.catalog("local"), message="the service leaves the catalogue")


def test_the_status_the_checks_and_the_absence_of_checks_are_as_asked(shared: ConsulAgent) -> None:
    shared.register("bare", "bare-1", "10.4.0.1", 0, status=None)
    shared.register(
        "checked",
        "checked-1",
        "10.4.0.2",
        80,
        checks=[
            {"CheckID": "a", "Name": "a", "ServiceID": "checked-1", "Status": "warning"},
            {"CheckID": "node", "Name": "of the node", "Status": "passing"},
        ],
        node="checked-node",
    )

    assert shared.health("bare")[0]["Checks"] == []
    assert {c["CheckID"]: c["Status"] for c in shared.health("checked")[0]["Checks"]} == {
        "a": "warning",
        "node": "passing",
    }
    shared.deregister("bare-1")
    assert "bare" not in shared.services()


def test_an_error_of_the_api_carries_its_status(shared: ConsulAgent) -> None:
    with pytest.raises(ConsulCallError, match="404") as caught:
        shared.call("GET", "/v1/no-such-thing")
    assert caught.value.status == 404


def test_a_paused_agent_answers_nothing_and_goes_on_where_it_stopped(shared: ConsulAgent) -> None:
    shared.register("patient", "patient-1", "10.5.0.1", 80)
    shared.pause()
    try:
        with pytest.raises(urllib3.exceptions.HTTPError):
            shared.call("GET", "/v1/status/leader", timeout=0.3)
    finally:
        shared.resume()
    eventually(lambda: _answers(shared), message="the resumed agent answers")
    assert shared.dns("patient.service.consul") == ["10.5.0.1"]


def test_without_a_token_nothing_is_seen_and_nothing_can_be_written(guarded: ConsulAgent) -> None:
    guarded.register("secret", "secret-1", "10.6.0.1", 80)

    assert guarded.call("GET", "/v1/health/service/secret", token="") == []
    with pytest.raises(ConsulCallError, match="403"):
        guarded.call("PUT", "/v1/kv/x", b"1", token="")
    assert guarded.dns("secret.service.consul") == []


def test_a_token_has_the_rights_of_its_policy_and_no_others(guarded: ConsulAgent) -> None:
    guarded.register("mine", "mine-1", "10.7.0.1", 80)
    guarded.register("theirs", "theirs-1", "10.7.0.2", 80)
    token = guarded.create_token('service "mine" { policy = "read" } node_prefix "" { policy = "read" }')

    assert list(guarded.call("GET", "/v1/catalog/services", token=token)) == ["mine"]
    with pytest.raises(ConsulCallError, match="403"):
        guarded.call("PUT", "/v1/kv/x", b"1", token=token)


def test_a_right_given_to_everybody_lets_dns_answer() -> None:
    with ConsulAgent(acl=True) as agent:
        agent.register("open", "open-1", "10.8.0.1", 80)
        agent.set_anonymous('service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }')
        eventually(lambda: agent.dns("open.service.consul") == ["10.8.0.1"], message="the name answers")


def test_https_is_served_with_a_certificate_of_its_own_ca(guarded: ConsulAgent) -> None:
    headers = {"X-Consul-Token": guarded.token}
    with urllib3.PoolManager(ca_certs=str(guarded.ca_file), retries=False, timeout=5) as trusting:
        answer = trusting.request("GET", guarded.https_url + "/v1/catalog/services", headers=headers)
        assert "consul" in answer.json()
    with (
        urllib3.PoolManager(retries=False, timeout=5) as stranger,
        pytest.raises(urllib3.exceptions.SSLError),
    ):
        stranger.request("GET", guarded.https_url + "/v1/catalog/services")


def test_with_a_client_certificate_asked_for_only_its_holder_comes_in() -> None:
    with ConsulAgent(tls=True, config={"verify_incoming_https": True}) as agent:
        url = agent.https_url + "/v1/status/leader"
        with urllib3.PoolManager(
            ca_certs=str(agent.ca_file),
            cert_file=str(agent.client_cert),
            key_file=str(agent.client_key),
            retries=False,
            timeout=5,
        ) as holder:
            assert holder.request("GET", url).status == 200
        with (
            urllib3.PoolManager(ca_certs=str(agent.ca_file), retries=False, timeout=5) as other,
            pytest.raises(urllib3.exceptions.HTTPError),
        ):
            other.request("GET", url)


def test_more_configuration_wins_over_the_agents_own() -> None:
    with ConsulAgent(config='domain = "example."') as agent:
        agent.register("web", "web-1", "10.9.0.1", 80)
        assert agent.dns("web.service.example") == ["10.9.0.1"]
        # Not its domain any more: it refuses, which is not an empty answer.
        with pytest.raises(dns.exception.DNSException):
            agent.dns("web.service.consul")


@pytest.mark.parametrize("persist", [pytest.param(True, id="kept"), pytest.param(False, id="lost")])
def test_after_a_crash_the_agent_is_back_on_its_ports_and_its_state_is(persist: bool) -> None:
    with ConsulAgent(persist=persist, acl=True) as agent:
        agent.register("web", "web-1", "10.10.0.1", 80)
        first = agent.pid

        agent.kill()
        with pytest.raises(urllib3.exceptions.HTTPError):
            agent.services()

        agent.restart()
        assert agent.pid != first
        assert ("web" in agent.services()) is persist
        agent.register("web", "web-2", "10.10.0.2", 80)
        assert "web-2" in {e["ServiceID"] for e in agent.catalog("web")}


def test_an_agent_that_cannot_start_says_why() -> None:
    with pytest.raises(RuntimeError, match="no_such_setting"), ConsulAgent(config="no_such_setting = 1"):
        pass


def _answers(agent: ConsulAgent) -> bool:
    try:
        return bool(agent.call("GET", "/v1/status/leader", timeout=1))
    except urllib3.exceptions.HTTPError:
        return False
