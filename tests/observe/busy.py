"""A scene with everything on it, for the page's tests and pictures."""

from syncer.core.errors import Denied, Throttled
from syncer.core.model import Conflict, Health, ServiceInfo, Skip, Unreadable
from syncer.core.plan import Register, ServicePlan, SetHealth
from syncer.core.ports import Ending
from syncer.observe.health import Health as Readiness
from syncer.observe.metrics import Metrics
from syncer.observe.snapshot import Status
from syncer.observe.status import StatusStore
from syncer.observe.web import WebServer, make_app
from tests.observe.scene import BACK, OUT, Scene, ended, held_plan, ours, passed

HOSTILE = "\"><img src=x onerror=alert(1)><script>alert(2)</script>'&{{7*7}}"


class Site:
    """A scene, its observers, and the server that shows them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.store = StatusStore()
        self.metrics = Metrics()
        self.health = Readiness(scene.watched, stale_after=600)
        self.status = Status(self.store, scene.watched, self.health, owner="prod")
        self.server = WebServer(
            make_app(metrics=self.metrics, status=self.status, health=self.health), port=0
        )

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server.port}/"


def busy_site() -> Site:
    """Return a site with services both ways, and one of each thing that can be the matter."""
    site = Site(Scene())
    scene, store = site.scene, site.store
    for number, name in enumerate(("web", "api", "billing", "search", "auth", "ledger")):
        items = [
            ours(
                name,
                f"{name}-{at}",
                f"10.0.{number}.{at + 10}",
                port=8080,
                health=Health.CRITICAL if (name, at) == ("search", 1) else Health.PASSING,
                tags=("blue", f"v{number}"),
                attributes={"team": "shop", "api_token": "s3cr3t-value"},
            )
            for at in range(number + 1)
        ]
        scene.carry(name, *items)
        for item in items[: number + 1 - number % 2]:
            store.changed(ended(Register(item), seconds=0.02 + number / 100))
    orders = [
        ours("orders", f"task-{at}", f"10.1.0.{at}", port=9000, origin="cloudmap/ns-1") for at in range(2)
    ]
    scene.carry("orders", *orders, route=scene.back)
    queue = [ours("queue", "q-1", "10.1.1.1", port=5672, origin="cloudmap/ns-1", health=Health.WARNING)]
    scene.carry("queue", *queue, route=scene.back)
    scene.carry("rpc", ours("rpc", "r-1", "10.2.0.1"), info=ServiceInfo("s", "prod", frozenset({"SRV"}), 15))
    for item in orders:
        store.changed(ended(Register(item), route=BACK, seconds=0.6))
    throttled = Throttled("Rate exceeded", code="ThrottlingException")
    denied = Denied(
        "not authorized to perform: servicediscovery:RegisterInstance", code="AccessDeniedException"
    )
    store.changed(ended(Register(ours("audit", "a-1", "10.3.0.1")), Ending.FAILED, denied))
    store.changed(ended(SetHealth(Health.PASSING, ours("web", "web-0")), Ending.FAILED, throttled))
    carried = tuple(
        ServicePlan(name, name, owned=1) for name in ("api", "billing", "search", "auth", "ledger")
    )
    plans = (
        *carried,
        held_plan(
            "legacy", 14, "service legacy: 14 of 14 would be removed; 10 may be at once (30 %, at least 10)"
        ),
        ServicePlan("audit", "audit", changes=(Register(ours("audit", "a-1", "10.3.0.1")),)),
        ServicePlan("web", "web", changes=(SetHealth(Health.PASSING, ours("web", "web-0")),), owned=1),
        ServicePlan("mail", "mail", unreadable=("source: 500 rpc error: No cluster leader",)),
        ServicePlan(
            "cache",
            "cache",
            conflicts=(
                Conflict(
                    "cache", "c-1", "the id 'c-1-0a1b2c3d4e' of 'cache' is held by 'staging'", "staging"
                ),
            ),
            skipped=(
                Skip("cache", "c-2", "it is critical"),
                Skip("cache", None, "it has A records there", "delete the service there"),
            ),
        ),
    )
    nameless = Skip(
        "old_api$",
        None,
        "'old_api$' cannot be carried: no DNS label",
        "write rename: {'old_api$': 'old-api'}",
    )
    site.metrics.passed(passed(*plans, full=True, untranslated=(nameless,), owned=22, offered=26))
    store.passed(passed(*plans, full=True, untranslated=(nameless,), owned=22, offered=26, waiting=2))
    store.passed(passed(ServicePlan("orders", "orders", owned=2), route=BACK, full=True, owned=3, offered=3))
    scene.consul.reads["mail"] = Unreadable("mail", "500 rpc error: No cluster leader")
    return site


def hostile_site() -> Site:
    """Return a site of which every text that a registry can choose tries to be markup."""
    site = Site(Scene())
    bad = HOSTILE
    site.scene.carry(
        bad,
        ours(
            bad, f"i{bad}", "10.0.0.1", tags=(bad,), attributes={f"k{bad}": bad, "javascript:alert(3)": bad}
        ),
    )
    site.store.passed(
        passed(
            ServicePlan(
                bad, bad, skipped=(Skip(bad, bad, bad, bad),), conflicts=(Conflict(bad, bad, bad, bad),)
            ),
            ServicePlan(f"u{bad}", bad, unreadable=(bad,)),
            held_plan(f"h{bad}", 2, bad),
            full=True,
            errors=(bad,),
        )
    )
    site.store.changed(ended(Register(ours(bad, bad)), Ending.FAILED, Denied(bad, code=bad)))
    return site


def large_site(services: int) -> Site:
    """Return a site with *services* services of five instances each way."""
    site = Site(Scene())
    for number in range(services):
        for route, origin, net in (
            (site.scene.out, "consul/dc1", 10),
            (site.scene.back, "cloudmap/ns-1", 11),
        ):
            name = f"service-{number:04d}-{net}"
            items = [
                ours(name, f"{name}-{at}", f"{net}.{number // 250}.{number % 250}.{at}", origin=origin)
                for at in range(5)
            ]
            site.scene.carry(name, *items, route=route)
    for name in (OUT, BACK):
        site.store.passed(passed(route=name, full=True, owned=services * 5, offered=services * 5))
    return site
