"""Whether the token has each right in Consul that the settings need: asked for where Consul can tell, else tried."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from syncer.app.doctor.acl import Right, rights
from syncer.app.doctor.consul import ABOUT
from syncer.app.doctor.findings import Finding, fault, ok, warning
from syncer.core.errors import Denied, Missing, Refused, SyncError
from syncer.settings import Settings
from syncer.systems.consul.answers import decode_names, decode_verdicts
from syncer.systems.consul.client import ConsulClient

_AUTHORIZE: Final = "/v1/internal/acl/authorize"


def rights_held(client: ConsulClient, settings: Settings) -> Iterator[Finding]:
    """Say which rights are there, and which are not, with the rule to add for each."""
    needed = rights(settings)
    try:
        lacking = _asked(client, needed)
    except Denied:
        return  # the token is not known at all, which is said elsewhere
    except (Missing, Refused) as e:
        if e.code != "401":
            yield from _tried(client, needed)
        return
    except SyncError as e:
        yield warning(ABOUT, f"the rights could not be asked for: {e}")
        return
    yield from map(_lack, lacking)
    if not lacking:
        yield ok(ABOUT, f"the token has the rights that are needed: {'; '.join(map(_named, needed))}")


def _asked(client: ConsulClient, needed: Iterable[Right]) -> list[Right]:
    listed = list(needed)
    body = [{"Resource": right.resource, "Access": right.access, "Segment": right.name} for right in listed]
    verdicts = client.http.fetch(_AUTHORIZE, decode_verdicts, body=body).value
    # The verdicts come in the order of the questions. Source: Consul's agent, ACLAuthorize.
    return [right for right, verdict in zip(listed, verdicts, strict=True) if not verdict.Allow]


def _tried(client: ConsulClient, needed: Iterable[Right]) -> Iterator[Finding]:
    """Try what can be tried without a trace; this Consul (before 1.7) cannot be asked."""
    tries: dict[tuple[str, str], Callable[[Right], bool]] = {
        ("service", "read"): lambda _: (
            "consul" in (client.http.fetch("/v1/catalog/services", decode_names).value or ())
        ),
        ("node", "read"): lambda _: bool(client.catalog.nodes()[1]),
        # A node that is not there: with the right nothing happens, without it the call is refused.
        ("node", "write"): lambda right: bool(client.catalog.deregister(f"{right.name}doctor-probe")),
    }
    for right in needed:
        attempt = tries.get((right.resource, right.access))
        if attempt is None:
            yield warning(ABOUT, f"this Consul cannot tell whether the token has {_named(right)}")
            continue
        try:
            had = attempt(right)
        except Denied:
            had = False
        except SyncError as e:
            yield warning(ABOUT, f"whether the token has {_named(right)} could not be tried: {e}")
            continue
        if had:
            yield ok(ABOUT, f"the token has {_named(right)}, as a try shows")
        else:
            yield _lack(right)


def _lack(right: Right) -> Finding:
    """Return what it means to lack *right*: without approvals everything else still works."""
    if right.name.endswith("/approve/"):
        return warning(
            ABOUT, f"the token lacks {_named(right)}: `syncer approve` does not work", f"add: {right.rule}"
        )
    return fault(ABOUT, f"the token lacks {_named(right)}", f"add: {right.rule}")


def _named(right: Right) -> str:
    if right.prefix:
        which = f"names that begin with {right.name!r}" if right.name else "all names"
    else:
        which = repr(right.name)
    return f"{right.resource}:{right.access} on {which}"
