"""Asking DNS servers for names, and comparing what they say."""

import time
from dataclasses import dataclass

import dns.exception
import dns.rdatatype
import dns.resolver

from syncer.app.naming import Server

_TIMEOUT = 3.0
"""Seconds for one question, retries included."""
_PART = 3
"""As many records may be a part of them (Consul's ``udp_answer_limit``)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one server says of one name."""

    name: str
    record: str
    values: tuple[str, ...] = ()
    """Sorted; empty where there is no answer."""
    ttl: int | None = None
    milliseconds: float = 0.0
    problem: str = ""
    """Why there are no values: ``no such name``, ``no such record``, ``no answer in 3 s`` …"""
    failed: bool = False
    """Whether the server said nothing of the name: silence or a refusal, as against "no such name"."""


def ask(name: str, record: str, server: Server | None) -> tuple[Answer, ...]:
    """Ask *server* (None: the system's own) for *name*; an ``A`` question asks for AAAA too.

    Never raises: what went wrong is in the answer. Each question takes three seconds at most, twice that where many
    records answer.
    """
    resolver = _resolver(server)
    kinds = ("A", "AAAA") if record == "A" else (record,)
    answers = tuple(_ask(resolver, name, kind) for kind in kinds)
    found = tuple(answer for answer in answers if answer.values)
    failed = tuple(answer for answer in answers if answer.failed)
    return found + failed if found else (failed or answers)[:1]


def ask_service(name: str, server: Server | None) -> tuple[Answer, ...]:
    """Ask *server* for the ``SRV`` records of *name*, then for the addresses of their targets; otherwise as `ask`."""
    (services,) = ask(name, "SRV", server)
    targets = sorted({value.split()[-1] for value in services.values})
    return (services, *(answer for target in targets for answer in ask(target, "A", server)))


def addresses(answers: tuple[Answer, ...]) -> frozenset[str]:
    """Return what one server says is behind a name, by whichever records."""
    return frozenset(value for answer in answers if answer.record != "SRV" for value in answer.values)


def _resolver(server: Server | None) -> dns.resolver.Resolver:
    if server is None:
        resolver = dns.resolver.Resolver()
    else:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [server[0]]
        resolver.port = server[1]
    resolver.lifetime = _TIMEOUT
    resolver.search = []
    return resolver


def _whole(resolver: dns.resolver.Resolver, name: str, record: str) -> dns.resolver.Answer:
    """Return the answer over UDP, or, where it may be a part, over TCP: Consul gives three records, and says no more."""
    found = resolver.resolve(name, record, search=False)
    if len(found) < _PART:
        return found
    try:
        return resolver.resolve(name, record, search=False, tcp=True)
    except (dns.exception.DNSException, OSError):
        return found


def _ask(resolver: dns.resolver.Resolver, name: str, record: str) -> Answer:
    began = time.monotonic()

    def answer(
        values: tuple[str, ...] = (), ttl: int | None = None, problem: str = "", *, failed: bool = False
    ) -> Answer:
        return Answer(name, record, values, ttl, (time.monotonic() - began) * 1000, problem, failed)

    try:
        found = _whole(resolver, name, record)
    except dns.resolver.NXDOMAIN:
        return answer(problem="no such name")
    except dns.resolver.NoAnswer:
        return answer(problem=f"no {record} record")
    except dns.exception.Timeout:
        return answer(problem=f"no answer in {_TIMEOUT:g} s", failed=True)
    except (dns.exception.DNSException, OSError) as error:
        return answer(problem="".join(str(error).splitlines()[:1]) or type(error).__name__, failed=True)
    values = tuple(sorted(item.to_text() for item in found if item.rdtype == dns.rdatatype.from_text(record)))
    return answer(values, found.rrset.ttl if found.rrset else None)
