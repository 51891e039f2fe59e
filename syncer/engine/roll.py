"""The names of all services of one registry, as they were last listed."""

import threading

import structlog

from syncer.core.model import Listed, Listing, Unlisted
from syncer.core.ports import Registry

_log = structlog.get_logger()


class Roll:
    """The last complete list. Several routes that want it anew share one listing. Thread-safe."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._names: frozenset[str] | None = None
        self._stale = True
        self._calling = False
        self._changed = threading.Condition()

    @property
    def names(self) -> frozenset[str] | None:
        """The names; None before the first complete list."""
        return self._names

    def note(self) -> None:
        """Call the list stale."""
        with self._changed:
            self._stale = True

    def call(self) -> tuple[Listing, frozenset[str]]:
        """Return the list, made anew if it is stale, and which names came or went with it."""
        with self._changed:
            while self._calling:
                self._changed.wait()
            if not self._stale and self._names is not None:
                return Listed(self._names), frozenset()
            self._calling, self._stale = True, False
        listing = self._list()
        with self._changed:
            self._calling = False
            self._changed.notify_all()
            if isinstance(listing, Unlisted):
                self._stale = True
                return listing, frozenset()
            before, self._names = self._names, listing.names
            return listing, listing.names ^ (before or frozenset())

    def _list(self) -> Listing:
        try:
            return self._registry.services()
        except Exception as e:  # noqa: BLE001 - a defect there fails this listing, and is logged whole
            _log.exception("listing_failed", registry=self._registry.id)
            return Unlisted(repr(e), type(e).__name__)
