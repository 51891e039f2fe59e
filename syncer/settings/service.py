"""How the process itself behaves: the guard, the intervals, its web page, its log."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from syncer.core.guard import GuardLimits
from syncer.settings.base import Model, Problem, Switch
from syncer.settings.types import DAY, Period, Shape, Share, Span


class Guard(Model):
    """The safety fuse: too many removals at once are held, everything else passes.

    It counts for each direction of each namespace, as a whole and for each service.
    """

    share: Share = 0.3
    """Removals up to this share of what we own pass."""
    floor: int = Field(default=10, ge=0, le=1_000_000)
    """So many removals pass whatever their share, so that small services can shrink."""
    window: Period = 60.0
    """Removals within this time count as one, so that many small steps are noticed, too."""
    release_after: Annotated[float | None, Span(least=1, never=True)] = 600.0
    """Held removals pass after the source was read completely, and the same, for so long. `never` holds
    them until the source has these instances again."""

    def limits(self) -> GuardLimits:
        """Return the core's limits."""
        return GuardLimits(self.share, self.floor)


class Intervals(Model):
    """How often, and how soon. Changes are noticed at once; these are for what was missed, and for calm."""

    full: Annotated[float, Span(least=1, most=DAY)] = 600.0
    """Time between two full passes, which compare everything, whatever was noticed."""
    feed: Annotated[float, Span(least=0.1, most=3600)] = 1.0
    """Time between two looks at a namespace's operations (`ListOperations`), one call each."""
    debounce: Annotated[float, Span(most=60)] = 0.05
    """How long changes that come close together are collected. The first one after a calm does not wait."""
    forget_empty: Annotated[float | None, Span(never=True)] = 600.0
    """Age at which an empty Cloud Map service that we created is deleted; it may come back before. `never` keeps
    it."""
    retry_first: Period = 0.5
    """Wait before a failed call is tried again; doubles each time, with jitter."""
    retry_most: Period = 60.0
    """Longest wait between two tries."""

    @override
    def problems(self) -> Iterator[Problem]:
        """The first wait is not longer than the longest."""
        if self.retry_first > self.retry_most:
            yield Problem(
                ("retry_first",), "is longer than retry_most", "write a shorter one", about=(("retry_most",),)
            )


class Http(Switch):
    """The read-only web server: `/metrics`, `/healthz`, `/readyz`. `false` turns it off."""

    enabled: bool = True
    """Whether there is one."""
    address: Annotated[
        str,
        Shape(
            r"[0-9A-Fa-f:.]{2,45}|localhost", "is no address to listen on", "write 127.0.0.1, 0.0.0.0 or ::"
        ),
    ] = "127.0.0.1"
    """The address to listen on. Only this host by default, since the names and addresses of all services can be read
    there; write `0.0.0.0` where a Prometheus or a load balancer must reach it."""
    port: int = Field(default=9110, ge=0, le=65_535)
    """The TCP port. 0 takes a free one."""


class Log(Model):
    """The log, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is shown: `debug`, `info`, `warning` or `error`."""
    format: Literal["auto", "json", "text"] = "auto"
    """`text` is for people, `json` one object a line; `auto` is text on a terminal and json elsewhere."""
