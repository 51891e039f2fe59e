"""The lease on a real Consul agent: nobody else has it while it is ours, and everybody can have it afterwards."""

import threading
import time
from collections.abc import Iterator

import pytest

from syncer.core.errors import Denied, SyncError, Unavailable
from syncer.systems.consul.call import Cut
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.lease import ConsulLease, lease_key
from syncer.systems.consul.transport import Transport
from tests.support.consul_agent import ConsulAgent
from tests.support.wait import eventually

KEY = lease_key("tests", "ns-1")


@pytest.fixture(scope="module")
def agent() -> Iterator[ConsulAgent]:
    with ConsulAgent(acl=True) as agent:
        yield agent


@pytest.fixture(autouse=True)
def _fresh(agent: ConsulAgent) -> None:
    agent.call("DELETE", "/v1/kv/cloudmap-sync/", params={"recurse": ""})
    for session in agent.call("GET", "/v1/session/list"):
        agent.call("PUT", f"/v1/session/destroy/{session['ID']}")


def contender(agent: ConsulAgent, me: str, token: str | None = None, ttl: int = 10) -> ConsulLease:
    endpoint = Endpoint.at(agent.http_url, token=agent.token if token is None else token)

    def client() -> ConsulClient:
        return ConsulClient(endpoint, Transport(endpoint, connections=2, read_timeout=90))

    return ConsulLease(client(), client(), KEY, label="corp", me=me, ttl=ttl)


def test_one_has_it_until_it_gives_it_back(agent: ConsulAgent) -> None:
    one, other = contender(agent, "one"), contender(agent, "other")
    until = one.acquire()
    assert until is not None
    assert until < time.monotonic() + 10, "it is counted on for less than the TTL"
    assert other.acquire() is None
    other.watch()
    assert (other.mine, other.holder) == (False, "one")
    one.watch()
    assert (one.mine, one.holder) == (True, "")
    later = one.renew()
    assert later is not None
    assert later > until
    one.release()
    other.watch()
    assert other.holder == ""
    assert other.acquire() is not None, "there is no delay after it was given back"
    other.release()
    assert agent.call("GET", "/v1/session/list") == []


def test_a_watch_wakes_when_the_lease_becomes_free(agent: ConsulAgent) -> None:
    one, other = contender(agent, "one", ttl=300), contender(agent, "other", ttl=300)
    one.acquire()
    other.watch()
    woken: list[float] = []

    def wait() -> None:
        while other.holder:
            other.watch()
        woken.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.3)
    assert not woken
    one.release()
    thread.join(60)
    assert woken, "it waited for its next look"


def test_who_lost_its_session_knows_at_the_next_renewal(agent: ConsulAgent) -> None:
    one, other = contender(agent, "one"), contender(agent, "other")
    one.acquire()
    (session,) = agent.call("GET", "/v1/session/list")
    assert session["TTL"] == "10s"
    assert not session.get("NodeChecks")
    agent.call("PUT", f"/v1/session/destroy/{session['ID']}")
    assert one.renew() is None
    assert not one.mine
    eventually(other.acquire, 60, "another has it after the delay", interval=0.2)


def test_who_lost_the_key_knows_at_the_next_look_and_can_have_it_again(agent: ConsulAgent) -> None:
    one = contender(agent, "one")
    one.acquire()
    one.watch()
    agent.call("DELETE", f"/v1/kv/{KEY}")
    one.watch()
    assert not one.mine
    assert one.holder == ""
    assert one.acquire() is not None
    one.watch()
    assert one.mine


def test_the_holder_hears_once_who_asks_for_it(agent: ConsulAgent) -> None:
    one, other = contender(agent, "one"), contender(agent, "other")
    one.acquire()
    one.watch()
    assert one.asked_by == ""
    other.ask()
    other.watch()
    other.ask()
    one.watch()
    assert (one.mine, one.asked_by) == (True, "other")
    other.watch()
    assert other.holder == "one", "asking takes nothing away"
    one.watch()
    assert one.asked_by == "", "it was heard"
    one.release()
    other.ask()
    other.watch()
    assert other.holder == "", "what was given back meanwhile is not asked for"
    assert other.acquire() is not None
    other.watch()
    assert (other.mine, other.asked_by) == (True, "")


def test_a_value_that_is_not_ours_to_understand_is_still_a_holder(agent: ConsulAgent) -> None:
    session = agent.call("PUT", "/v1/session/create", {"TTL": "10s"})["ID"]
    agent.call("PUT", f"/v1/kv/{KEY}", b"no json", params=None)
    agent.call("PUT", f"/v1/kv/{KEY}?acquire={session}", b"no json")
    other = contender(agent, "other")
    other.watch()
    assert other.holder == "somebody unknown"
    assert other.acquire() is None


def test_without_rights_it_says_so_and_leaves_no_session(agent: ConsulAgent) -> None:
    readers = agent.create_token('session_prefix "" { policy = "write" } key_prefix "" { policy = "read" }')
    one = contender(agent, "one", readers)
    with pytest.raises(Denied):
        one.acquire()
    assert agent.call("GET", "/v1/session/list") == []
    with pytest.raises(SyncError):
        contender(agent, "two", agent.create_token('node_prefix "" { policy = "read" }')).acquire()


def test_a_watch_can_be_cut_and_a_release_still_works(agent: ConsulAgent) -> None:
    one = contender(agent, "one", ttl=300)
    one.acquire()
    one.watch()
    threading.Timer(0.2, one.cut).start()
    began = time.monotonic()
    with pytest.raises(Cut):
        one.watch()
    assert time.monotonic() - began < 60, "it waited for its next look"
    one.release()
    assert contender(agent, "other").acquire() is not None


def test_what_does_not_answer_is_an_error_and_no_free_lease(agent: ConsulAgent) -> None:
    endpoint = Endpoint.at("http://127.0.0.1:9", token="")
    client = ConsulClient(endpoint, Transport(endpoint, connect_timeout=0.5))
    lease = ConsulLease(client, client, KEY, label="corp", me="one", ttl=10)
    with pytest.raises(Unavailable):
        lease.watch()
    with pytest.raises(Unavailable):
        lease.acquire()
    assert lease.renew() is None
    lease.release()
