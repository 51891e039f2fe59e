"""Writes into one namespace: one change at a time for each instance, each followed until its operation has ended."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from syncer.core.errors import Busy, Missing, SyncError, Unavailable
from syncer.core.plan import (
    Change,
    CreateService,
    DeleteService,
    Deregister,
    InstanceChange,
    Register,
    SetHealth,
    Update,
    UpdateService,
    instance_id,
)
from syncer.core.ports import Ending, Outcome
from syncer.core.wishes import Wishes
from syncer.systems.aws import required
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.directory import Directory
from syncer.systems.cloudmap.lanes import Lanes
from syncer.systems.cloudmap.mapping import from_health, from_instance
from syncer.systems.cloudmap.operations import Operations
from syncer.systems.cloudmap.services import Services, member

Done = Callable[[Outcome], None]
Key = tuple[str, str]

_THREADS: Final = {"service": 3, "register": 8, "deregister": 4, "health": 2}
_LANE: Final[dict[type, str]] = {
    Register: "register",
    Update: "register",
    Deregister: "deregister",
    SetHealth: "health",
    CreateService: "service",
    UpdateService: "service",
    DeleteService: "service",
}
_COLLISIONS: Final = 5
"""How often a change waits for somebody else's operation on its instance."""


@dataclass(slots=True)
class _Wish:
    change: Change
    done: Done
    collisions: int = 0


class CloudMapWriter:
    """Carries changes out in one namespace. Thread-safe."""

    def __init__(self, api: Api, services: Services, directory: Directory, operations: Operations) -> None:
        self._api = api
        self._services = services
        self._directory = directory
        self._operations = operations
        self._lanes = Lanes(_THREADS)
        self._changed = threading.Condition()
        self._wishes: Wishes[Key, _Wish] = Wishes()
        self._creating: dict[str, list[_Wish]] = {}
        self._closing = False
        self._closed = False
        self._calling = 0

    def submit(self, changes: Sequence[Change], done: Done) -> None:
        """Take *changes* and return at once; see :class:`~syncer.core.ports.Writer`."""
        for change in changes:
            self._offer(_Wish(change, done))

    def close(self, timeout: float) -> None:
        """Wait up to *timeout* seconds for what is under way; what has not ended then is abandoned.

        Once the API is told to stop, no operation's end can be asked for: then only calls in flight are waited for.
        What they have begun goes on in Cloud Map, and the next start finds it there.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            self._closing = True
            while len(self._wishes) and (left := deadline - time.monotonic()) > 0:
                if self._api.stop.is_set() and not self._calling:
                    break
                self._changed.wait(left)
            self._closed = True
            keys = list(self._wishes)
        self._operations.close()
        self._lanes.close()
        for key in keys:
            while (wish := self._take(key)) is not None:
                wish.done(Outcome(wish.change, Ending.ABANDONED))

    def _offer(self, wish: _Wish) -> None:
        change = wish.change
        replaced: _Wish | None = None
        with self._changed:
            closing = self._closing
            starts = False
            if not closing:
                starts, replaced = self._wishes.offer(_key(change), wish)
                if starts and isinstance(change, CreateService):
                    self._creating.setdefault(change.service, [])
                elif starts and change.service in self._creating:
                    self._creating[change.service].append(wish)
                    starts = False
        if closing:
            wish.done(Outcome(change, Ending.ABANDONED))
        if replaced is not None:
            replaced.done(Outcome(replaced.change, Ending.SUPERSEDED))
        if starts:
            self._start(wish)

    def _start(self, wish: _Wish) -> None:
        self._lanes.put(_LANE[type(wish.change)], wish.change.service, partial(self._carry_out, wish))

    def _carry_out(self, wish: _Wish) -> None:
        change = wish.change
        if self._closed:
            return  # abandoned by close: nothing is begun any more
        try:
            operation = self._counted(change)
        except Busy as e:
            self._wait_for_another(wish, e)
        except SyncError as e:
            self._end(wish, e)
        except Exception as e:
            # A defect; the lane logs it. Without an end nothing could ever be done about this instance again.
            self._end(wish, SyncError(f"{type(change).__name__}: {type(e).__name__}: {e}", code="Defect"))
            raise
        else:
            if operation is None:
                self._end(wish, None)
            else:
                what = f"{type(change).__name__} {change.service}/{instance_id(change)}".rstrip("/")
                self._operations.follow(operation, what, partial(self._end, wish))

    def _counted(self, change: Change) -> str | None:
        """As :meth:`_call`, known to :meth:`close` meanwhile."""
        with self._changed:
            self._calling += 1
        try:
            return self._call(change)
        finally:
            with self._changed:
                self._calling -= 1
                self._changed.notify_all()

    def _call(self, change: Change) -> str | None:
        """Make the call that *change* needs; return the operation to follow, None where it is done at once."""
        match change:
            case CreateService():
                self._services.create(change)
                return None
            case UpdateService():
                return self._services.update(change)
            case DeleteService():
                self._services.delete(change)
                return None
            case Register() | Update():
                return self._register(change)
            case SetHealth():
                self._set_health(change)
                return None
            case Deregister():
                return self._deregister(change)

    def _register(self, change: Register | Update) -> str:
        instance = change.instance
        owner = instance.mark.owner if instance.mark else ""
        info = self._services.writable(change.service, owner).info
        answer = self._api.call(
            "RegisterInstance",
            ServiceId=info.id,
            InstanceId=instance.id,
            Attributes=from_instance(instance, health=info.health_settable),
        )
        return str(required(answer, "OperationId"))

    def _set_health(self, change: SetHealth) -> None:
        status = from_health(change.instance.health)
        self._api.call(
            "UpdateInstanceCustomHealthStatus",
            ServiceId=self._service_id(change),
            InstanceId=change.instance.id,
            Status=status,
        )

    def _deregister(self, change: Deregister) -> str | None:
        try:
            answer = self._api.call(
                "DeregisterInstance", ServiceId=self._service_id(change), InstanceId=change.instance.id
            )
        except Missing as e:
            if "Instance" in e.code or "Service" in e.code:
                return None
            raise
        return str(required(answer, "OperationId"))

    def _service_id(self, change: InstanceChange) -> str:
        entry = self._directory.lookup(change.service)
        if entry is None:
            raise Missing(f"there is no service {change.service}", code="ServiceNotFound")
        return entry.info.id

    def _wait_for_another(self, wish: _Wish, error: Busy) -> None:
        """Wait until another operation on the instance has ended, then try again."""
        operation = error.operation or member(error, "DuplicateOperationId")
        wish.collisions += 1
        if operation is None or wish.collisions > _COLLISIONS:
            self._end(wish, error)
            return
        self._operations.follow(operation, "another's operation", lambda _error: self._start(wish))

    def _end(self, wish: _Wish, error: SyncError | None) -> None:
        following: _Wish | None = None
        parked: list[_Wish] = []
        with self._changed:
            current = self._wishes.latest(_key(wish.change))
            if current is None:
                return  # abandoned by close
            following = self._wishes.finish(_key(wish.change))
            if isinstance(wish.change, CreateService):
                parked = self._creating.pop(wish.change.service, [])
            self._changed.notify_all()
        if error is None and isinstance(wish.change, UpdateService):
            self._directory.retimed(wish.change.service, wish.change.ttl)
        wish.done(Outcome(wish.change, Ending.DONE if error is None else Ending.FAILED, error))
        for other in parked:
            if error is None:
                self._start(other)
            else:
                reason = Unavailable(f"its service could not be created: {error}", code=error.code)
                self._end(other, reason)
        if following is not None:
            self._start(following)

    def _take(self, key: Key) -> _Wish | None:
        """Take the wish of *key* that runs, or then the one that waits, out of the books."""
        with self._changed:
            if key not in set(self._wishes):
                return None
            wish = self._wishes.running(key)
            self._wishes.finish(key)
            return wish


def _key(change: Change) -> Key:
    return (change.service, instance_id(change))
