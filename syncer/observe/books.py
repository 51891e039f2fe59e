"""What is known of each service of each route, kept in step with passes that see only a few of them."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from syncer.core.plan import ServicePlan
from syncer.core.report import PassReport

Entry = TypeVar("Entry")


class Book(Generic[Entry]):
    """One entry for each service that there is something to say about. Not thread-safe by itself.

    Passes of different routes may be noted at once: each touches its own route's entries alone.
    """

    def __init__(self, entry: Callable[[ServicePlan, Entry | None], Entry | None]) -> None:
        """Make entries by *entry*, from a plan and what stands in the book; None for nothing to say."""
        self._entry = entry
        self._routes: dict[str, dict[str, Entry]] = {}

    def note(self, report: PassReport) -> list[tuple[str, Entry | None, Entry | None]]:
        """Take in *report*; return the services whose entry changed, with the entry before and now.

        A full pass looks at everything there is: what it does not name is gone.
        """
        book = self._routes.setdefault(report.route, {})
        moved: list[tuple[str, Entry | None, Entry | None]] = []
        for plan in report.plans:
            before = book.get(plan.service)
            now = self._entry(plan, before)
            if now == before:
                continue
            moved.append((plan.service, before, now))
            if now is None:
                del book[plan.service]
            else:
                book[plan.service] = now
        if report.full and book:
            seen = {plan.service for plan in report.plans}
            gone = [service for service in book if service not in seen]
            moved.extend((service, book.pop(service), None) for service in gone)
        return moved

    def of(self, route: str) -> Mapping[str, Entry]:
        """Return the entries of *route*, by the target's service name."""
        return self._routes.get(route, {})
