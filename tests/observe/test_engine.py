"""The observers on a real engine, between two registries in memory: what happens is what they say."""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from syncer.core.errors import Denied, Unavailable
from syncer.core.guard import GuardLimits
from syncer.core.model import Instance
from syncer.core.ports import End
from syncer.core.report import Observers
from syncer.core.rules import RouteRules
from syncer.engine.agenda import Backoff
from syncer.engine.engine import Engine, Timing
from syncer.engine.route import Policy
from syncer.observe.changelog import ChangeLog
from syncer.observe.health import Health
from syncer.observe.log import configure_logging
from syncer.observe.metrics import Metrics
from syncer.observe.query import Query
from syncer.observe.snapshot import Json, Status
from syncer.observe.status import StatusStore
from syncer.observe.views import Side, Watched
from syncer.systems.memory import MemoryRegistry, MemoryWatch, MemoryWriter
from tests.observe.scene import BACK, CARRIER, OUT
from tests.observe.scrape import value
from tests.support.wait import eventually

ENTITIES = replace(CARRIER, service_entities=True, unique_address=True)


@dataclass
class Works:
    """An engine at work, with everybody who watches it."""

    consul: MemoryRegistry
    cloudmap: MemoryRegistry
    engine: Engine
    metrics: Metrics
    health: Health
    status: Status

    def see(self, query: Query | None = None) -> Json:
        """Return the status now."""
        return self.status.snapshot(query or Query())


@pytest.fixture
def works(log: io.StringIO) -> Iterator[Works]:
    configure_logging(stream=log, form="json")
    stop = threading.Event()
    consul, cloudmap = MemoryRegistry("consul/dc1", CARRIER), MemoryRegistry("cloudmap/ns-1", ENTITIES)
    metrics, store = Metrics(), StatusStore()
    timing = Timing(full=2.0, unsettled=0.05, retry=Backoff(0.05, 0.2), leave=3.0)
    engine = Engine(stop, timing, Observers((metrics, store, ChangeLog())))
    for registry in (consul, cloudmap):
        engine.attach(End(registry, (MemoryWatch(registry),), MemoryWriter(registry)))
    policy = Policy(GuardLimits(0.3, 2), backoff=Backoff(0.05, 0.2))
    engine.join(RouteRules(OUT, "prod", "consul/dc1", "cloudmap/ns-1", ENTITIES), policy)
    engine.join(RouteRules(BACK, "prod", "cloudmap/ns-1", "consul/dc1", CARRIER), policy)
    sides = {
        "consul/dc1": Side("Consul dc1", "service.consul"),
        "cloudmap/ns-1": Side("corp", "corp.internal"),
    }

    def watched() -> list[Watched]:
        return [Watched(it, sides[it.rules.source], sides[it.rules.target]) for it in engine.routes]

    health = Health(watched, stale_after=60, threads=engine.threads)
    status = Status(store, watched, health, owner="prod")
    thread = threading.Thread(target=engine.run)
    thread.start()
    yield Works(consul, cloudmap, engine, metrics, health, status)
    stop.set()
    thread.join(60)
    assert not thread.is_alive()


def _native(service: str, count: int, net: str = "10.0.0") -> list[Instance]:
    return [Instance(service, f"{service}-{at}", f"{net}.{at + 1}", port=80) for at in range(count)]


def _carried(works: Works, *names: str) -> bool:
    return [row["source"]["service"] for row in works.see()["services"]["items"]] == list(names)


def test_what_is_carried_shows_in_status_metrics_and_log(works: Works, log: io.StringIO) -> None:
    works.consul.put(*_native("web", 2))
    works.cloudmap.put(*_native("orders", 1, "10.1.0"))
    eventually(lambda: _carried(works, "orders", "web"), 60, "both are carried")
    eventually(lambda: works.health.ready() == (), 60, "all is ready")
    (row,) = works.see(Query(service="web"))["services"]["items"]
    assert (row["source"]["dns"], row["target"]["dns"]) == ("web.service.consul", "web.corp.internal")
    assert {item["address"] for item in row["instances"]} == {"10.0.0.1:80", "10.0.0.2:80"}
    eventually(
        lambda: value(works.metrics, "changes_total", route=OUT, kind="register", result="done") == 2,
        60,
        "two registrations are counted",
    )
    assert value(works.metrics, "lag_seconds_count", route=BACK) == 1
    eventually(lambda: value(works.metrics, "owned_instances", route=OUT) == 2, 60, "two are ours")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    changes = [line for line in lines if line["event"] == "changed" and line["kind"] == "register"]
    assert {(line["source_service"], line["target_service"]) for line in changes} == {
        ("web", "web"),
        ("orders", "orders"),
    }
    history = works.see(Query(service="web"))["changes"]["items"]
    assert {entry["kind"] for entry in history} == {"create_service", "register"}


def test_an_empty_source_is_held_and_shown_until_it_is_approved(works: Works) -> None:
    works.consul.put(*_native("web", 5))
    eventually(lambda: value(works.metrics, "owned_instances", route=OUT) == 5, 60, "five are carried")
    works.consul.remove("web")
    eventually(lambda: works.see()["summary"]["held"] == 5, 60, "five removals are held")
    (held,) = works.see()["held"]["items"]
    assert "the source is empty" in held["reason"]
    assert value(works.metrics, "held_removals", route=OUT) == 5
    assert len(works.cloudmap.look("web").instances) == 5
    next(route for route in works.engine.routes if route.id == OUT).approve()
    eventually(lambda: works.see()["summary"]["held"] == 0, 60, "nothing is held")
    eventually(lambda: not works.cloudmap.look("web").instances, 60, "they are removed")


def test_a_service_that_cannot_be_read_is_shown_until_it_can(works: Works, log: io.StringIO) -> None:
    works.consul.put(*_native("web", 2))
    eventually(lambda: _carried(works, "web"), 60, "it is carried")
    works.consul.faults.break_("read", Unavailable("500 No cluster leader"))
    works.consul.put(*_native("api", 1, "10.2.0"))
    eventually(lambda: works.see()["unreadable"]["count"] > 0, 60, "it shows")
    assert "No cluster leader" in works.see()["unreadable"]["items"][0]["reasons"][0]
    works.consul.faults.mend("read")
    eventually(lambda: _carried(works, "api", "web"), 60, "it is carried after all")
    eventually(lambda: works.see()["unreadable"]["count"] == 0, 60, "all is read again")
    assert '"not_read"' in log.getvalue()
    assert '"read_again"' in log.getvalue()


def test_a_change_that_is_refused_is_shown_until_it_succeeds(works: Works) -> None:
    works.cloudmap.faults.break_("write", Denied("not authorized", code="AccessDeniedException"))
    works.consul.put(*_native("web", 1))
    eventually(lambda: works.see()["failing"]["count"] > 0, 60, "it shows")
    assert works.see()["failing"]["items"][0]["code"] == "AccessDeniedException"
    works.cloudmap.faults.mend("write")
    eventually(lambda: _carried(works, "web"), 60, "it succeeds")
    eventually(lambda: works.see()["failing"]["count"] == 0, 60, "no failure is current")


def test_a_registry_that_cannot_be_listed_is_shown(works: Works) -> None:
    works.consul.put(*_native("web", 1))
    eventually(lambda: works.health.ready() == (), 60, "all is ready")
    works.consul.faults.break_("list", Unavailable("connection refused"))
    eventually(lambda: value(works.metrics, "unlisted_registries", route=OUT) == 1, 60, "the metric says so")
    assert any("connection refused" in item["reasons"][0] for item in works.see()["unreadable"]["items"])
    works.consul.faults.mend("list")
    eventually(lambda: value(works.metrics, "unlisted_registries", route=OUT) == 0, 60, "it is listed again")
