"""The registry in memory refuses what a real one would, and fails, waits and lags on request."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from syncer.core.errors import Missing, QuotaExceeded, Refused, SyncError, Throttled, Unavailable
from syncer.core.model import Complete, Health, Instance, Listed, ServiceInfo, Unlisted, Unreadable
from syncer.core.plan import (
    Change,
    CreateService,
    DeleteService,
    Deregister,
    Register,
    SetHealth,
    UpdateService,
)
from syncer.core.ports import Ending, Outcome
from syncer.systems.memory import MemoryRegistry, MemoryWriter
from tests.contract.test_memory import LIKE_CLOUD_MAP, LIKE_CONSUL
from tests.support.wait import eventually

A: Final = Instance("web", "a", ipv4="10.0.0.1", ipv6="2001:db8::1", port=80)
B: Final = Instance("web", "b", ipv4="10.0.0.2", port=80)
CREATE: Final = CreateService("web", frozenset({"A"}), 15, "us", "one")


@pytest.fixture
def registry() -> MemoryRegistry:
    made = MemoryRegistry("memory/one", LIKE_CLOUD_MAP, limit=2)
    made.carry_out(CREATE)
    made.carry_out(Register(A))
    return made


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(CREATE, Refused, id="a-service-that-is-there"),
        pytest.param(Register(replace(B, service="api")), Missing, id="into-a-service-that-is-not-there"),
        pytest.param(Register(replace(B, ipv4="10.0.0.1")), Refused, id="an-address-twice"),
        pytest.param(Register(replace(B, ipv4=None)), Refused, id="no-address"),
        pytest.param(
            Register(replace(B, attributes={"k": "ü"})), Refused, id="an-attribute-that-does-not-fit"
        ),
        pytest.param(SetHealth(Health.PASSING, B), Missing, id="the-health-of-one-that-is-not-there"),
        pytest.param(DeleteService("web", ServiceInfo()), Refused, id="a-service-that-is-not-empty"),
        pytest.param(UpdateService("api", ServiceInfo(), 30), Missing, id="a-service-that-is-not-there"),
    ],
)
def test_the_impossible_is_refused_and_changes_nothing(
    registry: MemoryRegistry, change: Change, error: type[SyncError]
) -> None:
    before = registry.look("web")
    with pytest.raises(error):
        registry.carry_out(change)
    assert registry.look("web") == before


def test_an_address_without_a_record_may_be_there_twice(registry: MemoryRegistry) -> None:
    registry.carry_out(Register(replace(B, ipv6=A.ipv6)))
    assert len(registry.look("web").instances) == 2


def test_more_instances_than_the_limit_are_refused(registry: MemoryRegistry) -> None:
    registry.carry_out(Register(B))
    registry.carry_out(Register(replace(B, port=81)))
    with pytest.raises(QuotaExceeded):
        registry.carry_out(Register(replace(B, id="c", ipv4="10.0.0.3")))


def test_health_is_refused_where_there_is_none() -> None:
    registry = MemoryRegistry("memory/two", replace(LIKE_CONSUL, healths=False))
    registry.put(A)
    with pytest.raises(Refused):
        registry.carry_out(SetHealth(Health.PASSING, A))


def test_without_services_of_their_own_a_service_ends_with_its_last_instance() -> None:
    registry = MemoryRegistry("memory/two", LIKE_CONSUL)
    registry.put(A, B)
    registry.remove("web", "a")
    assert registry.services() == Listed(frozenset({"web"}))
    registry.remove("web")
    assert registry.services() == Listed(frozenset())
    with pytest.raises(Refused):
        registry.carry_out(CREATE)


def test_the_ttl_of_a_service_can_be_changed(registry: MemoryRegistry) -> None:
    registry.carry_out(UpdateService("web", ServiceInfo(), 30))
    info = registry.look("web").info
    assert info is not None
    assert (info.ttl, info.owner) == (30, "us")


def test_a_user_who_registers_creates_the_service_as_nobodys(registry: MemoryRegistry) -> None:
    registry.put(replace(A, service="api"), records=frozenset({"SRV"}))
    assert registry.look("api").info == ServiceInfo("srv-api", None, frozenset({"SRV"}), 60)


def test_the_nth_call_fails_and_no_other(registry: MemoryRegistry) -> None:
    registry.faults.fail("read", Throttled("slow down", code="Throttling"), nth=2)
    reads = [registry.read("web") for _ in range(3)]
    assert reads == [registry.look("web"), Unreadable("web", "slow down", "Throttling"), registry.look("web")]
    assert registry.faults.calls["read"] == 3


def test_what_is_broken_fails_until_it_is_mended(registry: MemoryRegistry) -> None:
    registry.put(replace(A, service="api"))
    registry.faults.break_("web", Unavailable("dark"))
    registry.faults.break_("list", Unavailable("dark"))
    assert [registry.read("web"), registry.services()] == [
        Unreadable("web", "dark", "Unavailable"),
        Unlisted("dark", "Unavailable"),
    ]
    assert isinstance(registry.read("api"), Complete)
    registry.faults.mend("web")
    registry.faults.mend("list")
    assert isinstance(registry.read("web"), Complete)
    assert registry.services() == Listed(frozenset({"web", "api"}))


def test_reads_lag_unless_what_is_fresh_is_asked_for(registry: MemoryRegistry) -> None:
    before = registry.look("web")
    registry.lag()
    registry.put(B)
    assert registry.read("web") == before
    assert registry.read("api") == Complete("api", ())
    assert registry.read("web", fresh=True) == registry.look("web") != before
    registry.catch_up()
    assert registry.read("web") == registry.look("web")


def test_a_gate_that_nobody_opens_is_a_failure_in_the_end(registry: MemoryRegistry) -> None:
    registry.faults.gates["read"] = threading.Event()
    registry.faults.patience = 0.01
    assert registry.read("web") == Unreadable("web", "the gate of read stayed shut for 0.01 s", "Unavailable")


@pytest.fixture
def writer(registry: MemoryRegistry) -> Iterator[MemoryWriter]:
    made = MemoryWriter(registry)
    yield made
    registry.faults.gates.clear()
    made.close(5)


def test_a_write_waits_at_its_gate_and_others_for_the_same_instance_behind_it(
    registry: MemoryRegistry, writer: MemoryWriter
) -> None:
    gate = registry.faults.gates["write"] = threading.Event()
    calls = registry.faults.calls["write"]
    outcomes: list[Outcome] = []
    writer.submit([Register(B)], outcomes.append)
    eventually(lambda: registry.faults.calls["write"] > calls)
    writer.submit([Register(replace(B, port=81)), Register(replace(B, port=82))], outcomes.append)
    assert outcomes == [Outcome(Register(replace(B, port=81)), Ending.SUPERSEDED)]
    gate.set()
    eventually(lambda: len(outcomes) == 3)
    assert {item.port for item in registry.look("web").instances} == {80, 82}


def test_a_writer_closed_while_a_write_hangs_abandons_it_and_tells_so_once(
    registry: MemoryRegistry, writer: MemoryWriter
) -> None:
    gate = registry.faults.gates["write"] = threading.Event()
    calls = registry.faults.calls["write"]
    outcomes: list[Outcome] = []
    writer.submit([Register(B), Deregister(A)], outcomes.append)
    eventually(lambda: registry.faults.calls["write"] > calls)
    writer.close(0.01)
    gate.set()
    writer.close(5)
    assert sorted(repr(outcome.change) for outcome in outcomes) == sorted(
        map(repr, (Register(B), Deregister(A)))
    )
    assert {outcome.ending for outcome in outcomes} == {Ending.ABANDONED}


def test_a_write_that_fails_is_told_with_its_error(registry: MemoryRegistry, writer: MemoryWriter) -> None:
    error = Throttled("slow down")
    registry.faults.fail("write", error)
    outcomes: list[Outcome] = []
    writer.submit([Register(B)], outcomes.append)
    eventually(lambda: outcomes)
    assert outcomes == [Outcome(Register(B), Ending.FAILED, error)]
