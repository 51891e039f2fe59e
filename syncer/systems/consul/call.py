"""A call to Consul as values: what was made, what came back, and how a path is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import quote

T_co = TypeVar("T_co", covariant=True)


class Cut(Exception):
    """The connection was cut on purpose, by :meth:`~syncer.systems.consul.transport.Transport.cut`."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was made, for those who count."""

    operation: str
    """Such as ``GET health/service``; never a name or an id."""
    seconds: float
    error: str = ""
    """The error's code; empty where it succeeded."""
    blocking: bool = False
    """Whether the call waited for a change; its seconds then say nothing about Consul."""


def ignore(_: Call) -> None:
    """Do nothing with a call."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """A decoded answer with what its headers say."""

    value: T_co
    index: int
    """X-Consul-Index; 0 where there is none."""
    filtered: bool
    """Whether rights that the token lacks made the answer shorter; only Consul 1.11 and later says so."""
    known_leader: bool
    last_contact: float
    """Seconds since the server that answered last heard of its leader; 0 from the leader itself."""
    digest: float
    """Seconds that reading the body and decoding it took, without the wait for its beginning."""


class Response(NamedTuple):
    """An answer as the library's callbacks take it."""

    code: int
    headers: Mapping[str, str]
    content: bytes | bytearray

    @property
    def body(self) -> str:
        """The content as text."""
        return self.content.decode(errors="replace")


def segment(text: str) -> str:
    """Return *text* as one segment of a path: a service may be called ``a/b c``."""
    return quote(text, safe="")
