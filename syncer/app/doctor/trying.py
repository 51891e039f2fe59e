"""Whether calls may be made: each is tried once, in a way that cannot change anything."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from syncer.app.doctor.findings import Finding, fault, ok, some, warning
from syncer.core.errors import Denied, SyncError, Throttled, Unavailable

_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class Try:
    """A call that is only made to see whether it may be made."""

    action: str
    """The action of IAM that it needs, such as ``ecs:ListTasks``."""
    call: Callable[[], object]
    """One attempt; every error but a refusal of rights shows that they are there."""
    writes: bool = False
    needed_for: str = ""
    """What it is needed for, where many do without."""

    @property
    def operation(self) -> str:
        """The action without its service."""
        return self.action.partition(":")[2]


def tried(about: str, tries: Iterable[Try]) -> Iterator[Finding]:
    """Make each of *tries*; say which are refused, and that the others are not."""
    allowed: list[Try] = []
    for item in tries:
        try:
            item.call()
        except Denied as e:
            judged, purpose = (warning, f", needed for {item.needed_for}") if item.needed_for else (fault, "")
            yield judged(about, f"may not call {item.operation}: {e}", f"allow {item.action}{purpose}")
        except (Unavailable, Throttled) as e:
            yield warning(
                about, f"whether {item.operation} may be called could not be tried: {e}", "try again"
            )
        except SyncError:
            allowed.append(item)  # refused for what it asked, not for who asked
        else:
            allowed.append(item)
    for kind, writes in (("read", False), ("write", True)):
        names = [item.operation for item in allowed if item.writes is writes]
        if names:
            yield ok(about, f"may {kind}: {some(names, _NAMED)}")
