"""A lease as Consul knows it: a key, locked by a session that must be renewed.

Consul ends a session no sooner than its TTL after the last renewal, and up to twice as late; the holder counts from
before it asked for the renewal, and less than the TTL, so that both never believe to hold the lock at once. Source:
Consul's documentation of sessions.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from syncer.core.errors import Missing, SyncError
from syncer.systems.consul.client import ConsulClient

_SHARE: Final = 0.8
"""Of the TTL, for which a renewal is good: calls that began before have the rest of it to end."""
_UNKNOWN: Final = "somebody unknown"
_LOCK_DELAY: Final = 1
"""Seconds for which Consul refuses a lock whose session has ended without giving it back."""


def lease_key(owner: str, namespace: str) -> str:
    """Return the key that is the lease of *namespace* (its id) among the replicas of *owner*."""
    return f"cloudmap-sync/{owner}/lease/{namespace}"


class ConsulLease:
    """One key, and the session that locks it while it is ours. See :class:`~syncer.engine.lease.Lease`."""

    def __init__(
        self,
        client: ConsulClient,
        watching: ConsulClient,
        key: str,
        *,
        label: str,
        me: str,
        ttl: int = 15,
    ) -> None:
        """Prepare; nothing is called yet.

        Args:
            client: for short calls; others may share it. Its timeouts should be well below the TTL.
            watching: for blocking queries of this lease alone; its read timeout must exceed ``period * 17 / 16``.
            key: see :func:`lease_key`.
            label: what it is for.
            me: who we are, for people who look at the key.
            ttl: seconds, 10 at least.
        """
        self.label = label
        self.mine = False
        self.holder = ""
        self.asked_by = ""
        self._client = client
        self._watching = watching
        self._key = key
        self._me = me
        self._ttl = ttl
        self._session: str | None = None
        self._index = 0
        self._seen = 0
        """The key's ``ModifyIndex`` at the last look."""
        self._value: Mapping[str, Any] = {}

    @staticmethod
    def period(ttl: float) -> float:
        """Return the seconds between two renewals: two may fail before a third is too late."""
        return ttl / 4

    def acquire(self) -> float | None:
        """Take the lock if it is free; return until when it is ours."""
        began = time.monotonic()
        if self._session is None:
            self._session = self._client.session.create(
                name=f"{self.label} ({self._me})", checks=[], lock_delay=_LOCK_DELAY, ttl=self._ttl
            )
        self._index = 0
        since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        value = json.dumps({"holder": self._me, "since": since})
        try:
            taken = bool(self._client.kv.put(self._key, value, acquire=self._session))
        except SyncError:
            self._drop()
            raise
        if not taken:
            self._drop()
            return None
        self.mine = True
        return began + _SHARE * self._ttl

    def renew(self) -> float | None:
        """Renew the session; return until when the lock is ours, None where Consul has ended the session."""
        began = time.monotonic()
        if self._session is None:
            return None
        try:
            self._client.session.renew(self._session)
        except Missing:
            self._session, self.mine, self._index = None, False, 0
            return None
        return began + _SHARE * self._ttl

    def release(self) -> None:
        """Unlock the key, then end the session: the other way round Consul would keep it locked for the delay."""
        if self._session is not None:
            with suppress(SyncError):
                self._client.kv.put(self._key, "", release=self._session)
            self._drop()

    def watch(self) -> None:
        """See whose the lock is; waits for a change, a period at most, where it was seen before."""
        wait = f"{self.period(self._ttl) * 1000:.0f}ms"
        try:
            index, item = self._watching.kv.get(self._key, index=self._index or None, wait=wait)
        except BaseException:
            self._index = 0
            raise
        number = int(index or 0)
        self._index = number if number >= self._index else 0
        item = item or {}
        session = item.get("Session")
        self.mine = session is not None and session == self._session
        self._value = _value(item)
        self.holder = "" if session is None or self.mine else str(self._value.get("holder", _UNKNOWN))
        before, self._seen = self._seen, int(item.get("ModifyIndex", 0))
        asked = self.mine and self._seen != before
        self.asked_by = str(self._value.get("asked_by", "")) if asked else ""
        if self._session is not None and not self.mine:
            self._drop()

    def ask(self) -> None:
        """Write our name beside the holder's, who sees it by its :meth:`watch`; not over what was written since.

        A lock keeps nobody from writing the value of its key, and is not touched by that. Source: Consul's
        documentation of the key/value store, ``acquire``.
        """
        if self.holder and self._value:
            self._client.kv.put(self._key, json.dumps({**self._value, "asked_by": self._me}), cas=self._seen)

    def cut(self) -> None:
        """End :meth:`watch` at once, for good."""
        self._watching.http.cut()

    def _drop(self) -> None:
        """End the session, which holds nothing that is wanted; one that cannot be ended now ends by its TTL."""
        session, self._session, self.mine = self._session, None, False
        with suppress(SyncError):
            self._client.session.destroy(session)


def _value(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the key's value says; nothing where it is not ours to understand."""
    try:
        value = json.loads(item["Value"])
    except (KeyError, TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
