"""The long-running service: the engine, and the HTTP server that shows what it does."""

import threading
from functools import partial

import structlog

import syncer
from syncer.app.installation import Installation
from syncer.app.memory import EVERY, tame, trim
from syncer.core.report import Observers
from syncer.observe.changelog import ChangeLog
from syncer.observe.health import Health
from syncer.observe.metrics import Metrics
from syncer.observe.snapshot import Status
from syncer.observe.status import StatusStore
from syncer.observe.views import Side, Watched
from syncer.observe.web import WebServer, make_app
from syncer.settings import Settings

_log = structlog.get_logger()


def serve(settings: Settings, stop: threading.Event) -> None:
    """Keep everything in step until *stop* is set; return within 10 seconds of it.

    Raises:
        OSError: the HTTP address cannot be used.
    """
    tame()
    metrics, store = Metrics(), StatusStore()
    installation = Installation(settings, stop, Observers((metrics, store, ChangeLog())), metrics)
    server = _web(settings, installation, metrics, store)
    if server is not None:
        server.start()
    _log.info("started", version=syncer.__version__, owner=settings.owner)
    _trim_at_intervals(installation)
    installation.bring_up_later()
    installation.engine.run()
    if server is not None:
        server.stop()
    _log.info("stopped")


def _trim_at_intervals(installation: Installation) -> None:
    trim()
    again = partial(_trim_at_intervals, installation)
    installation.engine.agenda.after(EVERY, "trim", again)


def _web(
    settings: Settings, installation: Installation, metrics: Metrics, store: StatusStore
) -> WebServer | None:
    if not settings.http.enabled:
        return None
    engine = installation.engine

    def watched() -> list[Watched]:
        return [
            Watched(route, _side(installation, route.rules.source), _side(installation, route.rules.target))
            for route in engine.routes
        ]

    stale = 2 * settings.intervals.full + 60
    health = Health(watched, stale_after=stale, threads=engine.threads, waiting=installation.waiting)
    metrics.ready(lambda: not health.ready())
    status = Status(store, watched, health, owner=settings.owner)
    app = make_app(metrics=metrics, status=status, health=health)
    return WebServer(app, address=settings.http.address, port=settings.http.port)


def _side(installation: Installation, registry: str) -> Side:
    opened = installation.registries[registry]
    return Side(opened.title, opened.dns)
