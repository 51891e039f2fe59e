"""What we have written, or are writing, laid over what a registry last said of itself.

A registry's answer may be older than our own writes: Cloud Map's data plane lags behind its control plane, and an
operation takes a second. Without this a pass would see its own work missing and do it again.
"""

import time
from dataclasses import dataclass, replace

from syncer.core.model import Complete, Instance
from syncer.core.plan import Deregister, InstanceChange, SetHealth, Update


@dataclass(slots=True)
class _Wish:
    instance: Instance | None
    """None where it is to be absent."""
    health_only: bool
    done: float | None = None
    """``time.monotonic()`` when the registry had carried it out; None while it is under way."""


class Overlay:
    """Writes under way and lately done, by instance. Not thread-safe: the mirror's lock guards it."""

    def __init__(self, lag: float) -> None:
        """Hold what is done for *lag* seconds against reads that do not show it yet."""
        self._lag = lag
        self._wishes: dict[str, dict[str, _Wish]] = {}

    def begin(self, change: InstanceChange) -> None:
        """Note that *change* is being carried out."""
        wish = _Wish(_expected(change), isinstance(change, SetHealth))
        earlier = self._wishes.setdefault(change.service, {}).get(change.instance.id)
        if earlier is not None and wish.health_only and not earlier.health_only:
            wish.health_only = False
        self._wishes[change.service][change.instance.id] = wish

    def end(self, change: InstanceChange, *, done: bool) -> None:
        """Note that *change* ended; what failed is no longer expected to show."""
        wishes = self._wishes.get(change.service, {})
        wish = wishes.get(change.instance.id)
        if wish is None or wish.instance != _expected(change):
            return
        if done:
            wish.done = time.monotonic()
        else:
            del wishes[change.instance.id]
            if not wishes:
                del self._wishes[change.service]

    def under_way(self, service: str) -> int:
        """Return how many changes of *service* are being carried out."""
        return sum(wish.done is None for wish in self._wishes.get(service, {}).values())

    def pending(self, service: str, instance_id: str) -> bool:
        """Whether a change of that instance is being carried out."""
        wish = self._wishes.get(service, {}).get(instance_id)
        return wish is not None and wish.done is None

    def confirm(self, read: Complete, *, started: float, fresh: bool) -> None:
        """Forget what *read*, which began at *started*, shows, or would show if it were so."""
        wishes = self._wishes.get(read.service)
        if not wishes:
            return
        seen = {item.id: item for item in read.instances}
        for instance_id in [
            key for key, wish in wishes.items() if self._settled(wish, seen.get(key), started, fresh=fresh)
        ]:
            del wishes[instance_id]
        if not wishes:
            del self._wishes[read.service]

    def apply(self, read: Complete) -> Complete:
        """Return *read* as it will be once everything under way has shown."""
        wishes = self._wishes.get(read.service)
        if not wishes:
            return read
        instances = {item.id: item for item in read.instances}
        for instance_id, wish in wishes.items():
            if wish.instance is None:
                instances.pop(instance_id, None)
            elif not wish.health_only:
                instances[instance_id] = wish.instance
            elif instance_id in instances:
                instances[instance_id] = replace(instances[instance_id], health=wish.instance.health)
        return replace(read, instances=tuple(instances.values()))

    def expects(self, service: str) -> bool:
        """Whether something of *service* did not show yet."""
        return service in self._wishes

    def lagging(self, service: str) -> float | None:
        """Return in how many seconds what was done in *service*, and did not show, is doubted; None for nothing."""
        done = [wish.done for wish in self._wishes.get(service, {}).values() if wish.done is not None]
        return max(0.0, min(done) + self._lag - time.monotonic()) if done else None

    def _settled(self, wish: _Wish, seen: Instance | None, started: float, *, fresh: bool) -> bool:
        if wish.done is None:
            return False
        if wish.instance is None:
            shown = seen is None
        elif seen is None:
            shown = False
        elif wish.health_only:
            shown = seen.health.serves == wish.instance.health.serves
        else:
            shown = replace(seen, health=wish.instance.health) == wish.instance
            if shown and seen.health.serves != wish.instance.health.serves:
                wish.health_only = True
                shown = False
        overdue = time.monotonic() > wish.done + self._lag
        return shown or overdue or (fresh and started > wish.done and not wish.health_only)


def _expected(change: InstanceChange) -> Instance | None:
    """Return what is there once *change* is carried out; None where nothing is.

    An update leaves the health as it was: whether registering again sets it, nobody promises.
    """
    match change:
        case Deregister():
            return None
        case Update(before=before, instance=instance):
            return replace(instance, health=before.health)
        case _:
            return change.instance
