"""All probes in their order: where one fails, what rests on it is left out, and everything else goes on."""

import threading
from collections.abc import Generator, Iterator

from syncer.app.cloudmap import Accounts
from syncer.app.doctor import aws, consul
from syncer.app.doctor.findings import Finding, Level, fault
from syncer.app.doctor.namespaces import looked_up, services
from syncer.app.doctor.permissions import tried
from syncer.app.doctor.planning import planned
from syncer.app.doctor.policies import operations
from syncer.app.doctor.rights import rights_held
from syncer.settings import Settings
from syncer.settings.aws import Account
from syncer.settings.namespaces import Namespace as Section
from syncer.systems.cloudmap.api import Api

_PLAN = "plan"


def examine(settings: Settings, stop: threading.Event) -> Iterator[Finding]:
    """Yield findings as they come; nothing is changed anywhere, and no call takes longer than its timeout.

    Ends early once *stop* is set.
    """
    there = yield from _consul(settings)
    troubled: list[str] = []
    for account, sections in _accounts(settings).items():
        if stop.is_set():
            return
        troubled.extend((yield from _account(settings, stop, account, sections)))
    if stop.is_set():
        return
    if not there:
        yield fault(_PLAN, "nothing can be planned without Consul")
    elif len(troubled) == len(settings.namespaces):
        yield fault(_PLAN, "nothing can be planned without a namespace")
    else:
        yield from planned(settings, stop, known=troubled)


def _consul(settings: Settings) -> Generator[Finding, None, bool]:
    """Yield the findings about Consul; return whether it can be worked with."""
    try:
        client = consul.client_of(settings)
    except OSError as e:
        yield fault(consul.ABOUT, f"the certificates cannot be used: {e}", "check consul.tls")
        return False
    try:
        reached = list(consul.reached(client, settings))
        yield from reached
        if any(finding.level is Level.FAULT for finding in reached):
            return False
        yield from consul.itself(client, settings)
        yield from consul.token(client)
        yield from rights_held(client, settings)
        yield from consul.consul_clock(settings)
    finally:
        client.http.close()
    return True


def _accounts(settings: Settings) -> dict[Account, list[tuple[str, Section]]]:
    found: dict[Account, list[tuple[str, Section]]] = {}
    for label, section in zip(settings.labels(), settings.namespaces, strict=True):
        found.setdefault(section.account(settings.aws), []).append((label, section))
    return found


def _account(
    settings: Settings, stop: threading.Event, account: Account, sections: list[tuple[str, Section]]
) -> Generator[Finding, None, list[str]]:
    """Yield the findings about *account*; return the labels of the namespaces that are not there."""
    known = list(aws.identity(settings, account))
    yield from known
    if known[0].level is Level.FAULT:  # without credentials nothing else can be asked
        return [label for label, _ in sections]
    api = Accounts(settings, stop, lambda _call: None).api(account)
    reached = list(aws.reached(api, account))
    yield from reached
    if reached[0].level is Level.FAULT:
        return [label for label, _ in sections]
    troubled = []
    for label, section in sections:
        if not (yield from _namespace(api, label, section)):
            troubled.append(label)
    return troubled


def _namespace(api: Api, label: str, section: Section) -> Generator[Finding, None, bool]:
    """Yield the findings about one namespace; return whether it is there."""
    found = looked_up(api, label, section)
    yield from found.findings
    others = (operation for operation in operations(section) if operation != aws.LISTING)
    yield from tried(api, others, label, found.namespace)
    if found.namespace is None:
        return False
    yield from services(api, label, found.namespace)
    return True
