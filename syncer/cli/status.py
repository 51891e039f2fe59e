"""``syncer status``: what the running process says of itself, in a short table."""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from syncer.app.running import NotRunning, ask_status
from syncer.cli.options import config_option, fail, url_option, where_to_ask

Json = dict[str, Any]

_EPILOG = """\b
Examples:
  syncer status -c syncer.yaml
  syncer status --url http://10.0.0.5:9110
  syncer status --json | jq .summary
"""
_WRONG: Final = ("held", "failing", "unreadable")
"""What makes the exit code 1, beside a process that is not ready."""
_HEADER: Final = (
    "ROUTE",
    "LAST PASS",
    "LAG",
    "OURS",
    "DONE",
    "HELD",
    "FAILING",
    "CONFLICTS",
    "UNREADABLE",
    "SKIPPED",
)


@click.command(epilog=_EPILOG)
@config_option
@url_option
@click.option("--json", "as_json", is_flag=True, help="Print all that the process says, as JSON.")
def status(path: Path, url: str | None, *, as_json: bool) -> None:
    """Show what the running process says of itself (/status.json): routes, and what wants attention.

    LAG is the median of the last changes, from their first sign to their arrival; OURS are the instances that a route
    has put into its target, DONE the changes since the process started. The exit code is 1 if removals are held, if
    something fails or cannot be read, if the process is not ready, or if nothing answers.
    """
    try:
        answer = ask_status(where_to_ask(path, url))
    except NotRunning as e:
        fail(f"{e}. Is `syncer run` at work, and is http.address reachable from here?")
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        for line in status_text(answer):
            click.echo(line)
    sys.exit(1 if wrong(answer) else 0)


def wrong(answer: Json) -> bool:
    """Whether *answer* speaks of something that is held, fails or is not ready."""
    summary = answer["summary"]
    return not answer["ready"]["ok"] or any(summary[key] for key in _WRONG)


def status_text(answer: Json) -> Iterator[str]:
    """Yield *answer*, of ``/status.json``, as lines for people."""
    program, summary = answer["program"], answer["summary"]
    now = _moment(answer["now"])
    running = _ago(program["started"], now)
    yield (
        f"{program['name']} {program['version']}, owner {program['owner']}, started {running}: "
        f"{summary['instances']} instances of {summary['services']} services in step"
    )
    yield from (f"not ready: {problem}" for problem in answer["ready"]["problems"])
    rows = [_row(route, now) for route in answer["routes"]]
    if rows:
        yield ""
        yield from table([_HEADER, *rows])
    remarks = list(_remarks(answer))
    if remarks:
        yield ""
        yield from remarks


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield *rows* with their columns aligned: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells])


def _row(route: Json, now: datetime | None) -> tuple[str, ...]:
    last, lag = route["last_pass"], route["lag"]["median"]
    done = sum(results.get("done", 0) for results in route["changes"].values())
    counts = (
        route["owned"],
        done,
        *(route[key] for key in ("held", "failing", "conflicts", "unreadable", "skipped")),
    )
    return (
        route["id"],
        _ago(last["at"], now) if last else "none yet",
        "-" if lag is None else f"{lag * 1000:.0f} ms" if lag < 10 else f"{lag:.0f} s",
        *map(str, counts),
    )


def _remarks(answer: Json) -> Iterator[str]:
    for item in answer["held"]["items"]:
        yield f"held: {item['route']}: {item['service']}: {item['removals']} removals: {item['reason']} → {item['advice']}"
    for item in answer["failing"]["items"]:
        where = "/".join(filter(None, (item["service"], item["instance"])))
        yield f"failing: {item['route']}: {where}: {item['kind']}, {item['times']} times: {item['error']}"
    for item in answer["unreadable"]["items"]:
        where = f"{item['service']}: " if item["service"] else ""
        yield f"unreadable: {item['route']}: {where}{'; '.join(item['reasons'])}"
    for item in answer["conflicts"]["items"]:
        yield f"conflict: {item['route']}: {item['service']}: {item['reason']}"
    for key in ("held", "failing", "unreadable", "conflicts"):
        more = answer[key]["count"] - len(answer[key]["items"])
        if more > 0:
            yield f"and {more} more {key}: the page at / shows them"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _ago(text: str | None, now: datetime | None) -> str:
    """Return how long before *now* the moment *text* was, in the largest unit that fits."""
    then = _moment(text)
    if then is None or now is None:
        return "-"
    seconds = max(0.0, (now - then).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
