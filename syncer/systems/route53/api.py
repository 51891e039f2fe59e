"""Calls of Route 53 with the rights of one account: paced, and retried while that helps."""

import threading
from collections.abc import Callable
from copy import copy
from typing import Any, Final, Self

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.nap import sleep_using_event

from syncer.core.errors import Busy, Denied, Missing, SyncError, Throttled, Unavailable
from syncer.systems.aws import Answer, Aws
from syncer.systems.route53.pace import Pace

BAD_BATCH: Final = "InvalidChangeBatch"
_RATE: Final = 5.0
"""Requests a second of an account. Source: Route 53 developer guide, quotas."""


class Route53:
    """Route 53 of one account. Thread-safe; all zones of the account share it, since they share its rate."""

    def __init__(self, aws: Aws, stop: threading.Event, *, rate: float = _RATE, burst: int = 5) -> None:
        """Call through *aws*; once *stop* is set, calls that wait for their turn fail."""
        self._aws = aws
        self._stop = stop
        self.pace = Pace(rate, burst)

    def permitted(self, may_write: Callable[[], object]) -> Self:
        """Return the same, at the same pace, for somebody who may write only while *may_write* says so."""
        other = copy(self)
        other._aws = self._aws.permitted(may_write)  # noqa: SLF001 - of the same class
        return other

    def once(self, operation: str, **parameters: Any) -> Answer:
        """Make one attempt of *operation* when its turn comes; raises :class:`SyncError`."""
        if not self.pace.wait(self._stop):
            raise Unavailable(f"{operation}: stopping", code="Stopping")
        try:
            answer = self._aws.call("route53", operation, **parameters)
        except Throttled:
            self.pace.throttled()
            raise
        self.pace.calm()
        return answer

    def call(self, operation: str, *, attempts: int = 6, **parameters: Any) -> Answer:
        """As :meth:`once`, with up to *attempts* while Route 53 is unavailable, throttles, or is still at work.

        ``PriorRequestNotComplete`` is such a case: another change of the zone is not over yet.
        """
        retrying = Retrying(
            retry=retry_if_exception_type((Unavailable, Busy)),
            stop=stop_after_attempt(attempts) | stop_when_event_set(self._stop),
            wait=wait_random_exponential(multiplier=0.25, max=5.0),
            sleep=sleep_using_event(self._stop),
            reraise=True,
        )
        return retrying(self.once, operation, **parameters)


def explained(error: SyncError, zone: str) -> SyncError:
    """Return *error* with what to do about it, where the account or its rights are the likely cause."""
    if isinstance(error, Missing) and error.code == "NoSuchHostedZone":
        text = f"there is no hosted zone {zone} in the account whose credentials are used: check the id and the role"
        return Missing(text, code=error.code)
    if isinstance(error, Denied):
        text = f"{error} (hosted zone {zone}: the policy must allow it, and the zone be in this account)"
        return Denied(text, code=error.code)
    return error
