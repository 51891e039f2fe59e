"""The table that the bench prints."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, ours and the plain poller's, with the target."""

    what: str
    ours: float
    unit: str
    target: str
    met: bool
    poller: float | None = None
    note: str = ""


def lines(rows: Iterable[Row]) -> Iterable[str]:
    """Yield the table as Markdown; the ratio is the poller's figure over ours."""
    yield "| what | ours | target | met | plain poller | ratio |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        ours = f"{_short(row.ours)} {row.unit}".strip() + (f" ({row.note})" if row.note else "")
        poller = "" if row.poller is None else f"{_short(row.poller)} {row.unit}".strip()
        ratio = "" if row.poller is None or not row.ours else f"{row.poller / row.ours:.3g} ×"
        yield f"| {row.what} | {ours} | {row.target} | {'yes' if row.met else 'NO'} | {poller} | {ratio} |"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
