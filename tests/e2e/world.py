"""The world of the end-to-end tests: both registries, and the syncer that a settings file describes between them."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import yaml

from syncer.app.installation import Installation
from syncer.core.ports import Hint
from syncer.core.report import ChangeReport, Observers, PassReport
from syncer.settings import Settings, load
from tests.e2e.cloud import Cloud
from tests.e2e.proxy import ConsulProxy
from tests.emulator import EmulatedAws
from tests.emulator import Settings as Emulated
from tests.support.consul_agent import ConsulAgent
from tests.support.wait import eventually

NAMESPACE = "corp.internal"
OWNER = "tests"
FAST = Emulated(operation_delay=0.05, discover_lag=0.05, health_scale=0.01)
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "emulated",
    "AWS_SECRET_ACCESS_KEY": "emulated",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Invented credentials, and nobody's own configuration."""

Tree = dict[str, Any]


class Imported(NamedTuple):
    """One instance in Consul: its address and the worst of its checks."""

    address: str
    port: int
    health: str


@dataclass
class Reports:
    """An observer that keeps what it is told."""

    passes: list[PassReport] = field(default_factory=list)
    changes: list[ChangeReport] = field(default_factory=list)

    def passed(self, report: PassReport) -> None:
        """Keep *report*."""
        self.passes.append(report)

    def changed(self, report: ChangeReport) -> None:
        """Keep *report*."""
        self.changes.append(report)


@dataclass
class Running:
    """One installation at work, and what it reported."""

    installation: Installation
    reports: Reports

    def reread(self) -> None:
        """Have everything read again at once, as at the interval of full passes."""
        for name in tuple(self.installation.engine.mirrors):
            self.installation.engine.hint(name, Hint(None, "interval"))

    def settled(self, timeout: float = 60.0) -> None:
        """Wait until everything is attached, and full passes begun after this call find nothing left to do."""
        engine = self.installation.engine

        def calm() -> bool:
            if self.installation.waiting():
                return False
            seen = len(self.reports.passes)
            self.reread()
            wanted = {route.id for route in engine.routes}
            eventually(lambda: {item.route for item in self.reports.passes[seen:] if item.full} >= wanted, 5)
            if any(route.submission.under_way() for route in engine.routes):
                return False
            time.sleep(FAST.discover_lag + 0.02)  # so long Cloud Map's answers lag behind what is done
            idle = not any(route.submission.under_way() for route in engine.routes)
            return idle and not any(_unfinished(item) for item in self.reports.passes[seen:])

        eventually(calm, timeout, "both sides are in step")


def _unfinished(report: PassReport) -> bool:
    return bool(report.errors or report.unreadable or any(plan.changes for plan in report.plans))


class World:
    """A real Consul, a proxy before it that can fail, and an emulated AWS; nothing is synced until one says so."""

    def __init__(
        self,
        folder: Path,
        *,
        emulated: Emulated = FAST,
        consul: ConsulAgent | None = None,
        aws: EmulatedAws | None = None,
    ) -> None:
        """Keep files in *folder*; *aws* in place of one with Cloud Map alone."""
        self.folder = folder
        self.consul = consul or ConsulAgent()
        self.aws = aws or EmulatedAws(emulated)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.consul)
            self.proxy = stack.enter_context(ConsulProxy(self.consul.http_addr))
            stack.enter_context(self.aws)
            self.cloud = Cloud(self.aws, NAMESPACE)
            self.namespace_id = self.aws.seed.namespace(NAMESPACE)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    # --- The syncer ---

    def tree(self, *changes: Mapping[str, Any], proxied: bool = False) -> Tree:
        """Return settings as a tree: fast ones for this world, with *changes* laid over them, key by key."""
        tree: Tree = {
            "owner": OWNER,
            "consul": {
                "address": self.proxy.url if proxied else self.consul.http_url,
                "dns_address": "{}:{}".format(*self.consul.dns_addr),
                "timeout": 3,
            },
            "aws": {"region": self.aws.region, "endpoint_url": self.aws.endpoint_url, "timeout": 3},
            "namespaces": [{"name": NAMESPACE, "dns_resolver": "{}:{}".format(*self.aws.dns_address)}],
            "intervals": {"feed": 0.2, "retry_first": 0.1, "retry_most": 1, "debounce": 0.02},
            "http": False,
        }
        for change in changes:
            tree = _merged(tree, change)
        return tree

    def file(self, tree: Tree, name: str = "syncer.yaml") -> Path:
        """Write *tree* as a settings file, and return its path."""
        path = self.folder / name
        path.write_text(yaml.safe_dump(tree))
        return path

    def settings(self, *changes: Mapping[str, Any], proxied: bool = False) -> Settings:
        """Return the settings of :meth:`tree`, loaded from a file."""
        return load(self.file(self.tree(*changes, proxied=proxied)), {})

    @contextmanager
    def syncing(self, *changes: Mapping[str, Any], proxied: bool = False) -> Iterator[Running]:
        """Run an installation in this process until the block ends; *changes* are laid over the settings."""
        stop = threading.Event()
        settings = self.settings(*changes, proxied=proxied)
        reports = Reports()
        installation = Installation(settings, stop, Observers((reports,)))
        running = Running(installation, reports)
        installation.bring_up_later()
        thread = threading.Thread(target=installation.engine.run, name="installation", daemon=True)
        thread.start()
        try:
            yield running
        finally:
            stop.set()
            thread.join(60)
        assert not thread.is_alive(), "the installation did not end"

    # --- What is there ---

    def imported(self, service: str) -> dict[str, Imported]:
        """Return what a syncer put into Consul for *service*, by the id in its origin."""
        return {
            entry["Service"]["Meta"]["sync-instance"]: Imported(
                entry["Service"]["Address"], entry["Service"]["Port"], _worst(entry)
            )
            for entry in self.consul.health(service)
            if "sync-owner" in (entry["Service"]["Meta"] or {})
        }

    def in_consul(self, service: str) -> list[str]:
        """Return the addresses of *service* in Consul, whatever their health, sorted."""
        return sorted(entry["Service"]["Address"] for entry in self.consul.health(service))

    def answers(self, name: str) -> list[str]:
        """Ask Consul's DNS or the VPC's resolver, whichever *name* is of."""
        return self.consul.dns(name) if name.endswith(".consul") else self.cloud.resolve(name)


def never(predicate: Callable[[], object], seconds: float, message: str = "") -> None:
    """Look for *seconds*, often; raise AssertionError as soon as *predicate* gives something true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = predicate()
        assert not found, f"it happened that {message or predicate}: {found!r}"
        time.sleep(0.03)


def _worst(entry: Mapping[str, Any]) -> str:
    states = {check["Status"] for check in entry["Checks"]}
    return next((state for state in ("critical", "warning") if state in states), "passing")


def _merged(tree: Tree, change: Mapping[str, Any]) -> Tree:
    result = dict(tree)
    for key, value in change.items():
        both = isinstance(result.get(key), dict) and isinstance(value, Mapping)
        result[key] = _merged(result[key], value) if both else value
    return result
