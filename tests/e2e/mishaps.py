"""What can go wrong with a call to Consul, and which calls it hits."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

Kind = Literal[
    "status",  # answer with `status` and `body`
    "empty",  # the real answer's headers, with {} or [] for its body
    "garbage",  # 200, and a body that is no JSON
    "cut",  # the real answer, broken off in its middle
    "hang",  # no answer for `seconds`, then the connection is closed
    "reset",  # the connection is reset; nothing reached Consul
    "lost_answer",  # the connection is reset after Consul has carried it out
    "header",  # the real answer with the header `body`, as "Name: value"
    "replace",  # the real answer's headers with `body` for its body
]


@dataclass
class Fault:
    """One fault: which calls it hits, for how long, and what it does."""

    kind: Kind
    path: str = "*"
    """A glob on the path without ``/v1/`` and query."""
    method: str = "*"
    count: int | None = None
    seconds: float = 1.0
    status: int = 500
    body: str = ""
    id: int = 0
    hits: int = 0

    def takes(self, method: str, path: str) -> bool:
        """Whether it hits this call; counts it, if so."""
        if self.count == 0 or not (fnmatchcase(path, self.path) and fnmatchcase(method, self.method)):
            return False
        self.hits += 1
        self.count = None if self.count is None else self.count - 1
        return True


@dataclass(frozen=True)
class Seen:
    """One call that arrived."""

    method: str
    path: str
    body: Any
