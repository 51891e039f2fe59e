"""All probes in their order: where one fails, what rests on it is left out, and everything else goes on."""

import threading
from collections.abc import Generator, Iterator
from typing import Final

from syncer.app.cloudmap import Accounts
from syncer.app.doctor import aws, consul
from syncer.app.doctor.findings import Finding, Level, fault, ok, warning
from syncer.app.doctor.namespaces import looked_up, services
from syncer.app.doctor.permissions import tries
from syncer.app.doctor.planning import planned
from syncer.app.doctor.policies_cloudmap import operations
from syncer.app.doctor.rights import rights_held
from syncer.app.doctor.sources import source
from syncer.app.doctor.targets import target_groups, zone
from syncer.app.doctor.trying import tried
from syncer.app.doctor.uses import GroupsUse, NamespaceUse, SourceUse, Use, ZoneUse, by, uses
from syncer.app.ecs import access
from syncer.app.routes import CONSUL, active, namespace_key, source_of
from syncer.settings import Settings
from syncer.settings.aws import Account
from syncer.systems.aws import Aws
from syncer.systems.cloudmap.api import Api

_PLAN: Final = "plan"


def examine(settings: Settings, stop: threading.Event) -> Iterator[Finding]:
    """Yield findings as they come; nothing is changed anywhere, and no call takes longer than its timeout.

    Ends early once *stop* is set.
    """
    troubled: set[str] = set()
    if settings.uses_consul and not (yield from _consul(settings)):
        troubled.add(CONSUL)
    found = uses(settings)
    for label in settings.labels():
        if namespace_key(label) not in {use.key for use in found}:
            yield ok(label, "no route that is on begins or ends here: nothing is asked of it")
    for account, mine in by(found, lambda account: account).items():
        if stop.is_set():
            return
        troubled |= yield from _account(settings, stop, account, mine)
    if not stop.is_set():
        yield from _plan(settings, stop, troubled)


def _plan(settings: Settings, stop: threading.Event, troubled: set[str]) -> Iterator[Finding]:
    """Plan once, unless there is no route that has both its ends."""
    ends = [{source_of(route.source), route.target} for route in active(settings)]
    if any(troubled.isdisjoint(pair) for pair in ends):
        known = [consul.ABOUT if key == CONSUL else key.removeprefix("cloudmap/") for key in troubled]
        yield from planned(settings, stop, known=known)
    elif not ends:
        yield warning(_PLAN, "no route is on: nothing is carried")
    elif CONSUL in troubled and all(CONSUL in pair for pair in ends):
        yield fault(_PLAN, "nothing can be planned without Consul")
    elif not settings.routes:
        yield fault(_PLAN, "nothing can be planned without a namespace")
    else:
        yield fault(_PLAN, "nothing can be planned: of each route at least one end is missing")


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
        if any(CONSUL in {route.source, route.target} for route in active(settings)):
            yield from consul.itself(client, settings)  # leases alone need none of it
        yield from consul.token(client)
        yield from rights_held(client, settings)
        yield from consul.consul_clock(settings)
    finally:
        client.http.close()
    return True


def _account(
    settings: Settings, stop: threading.Event, account: Account, found: list[Use]
) -> Generator[Finding, None, set[str]]:
    """Yield the findings about *account*; return the keys of what cannot be worked with."""
    known = list(aws.identity(settings, account))
    yield from known
    if known[0].level is Level.FAULT:  # without credentials nothing else can be asked
        return {use.key for use in found}
    troubled: set[str] = set()
    namespaces = [use for use in found if isinstance(use, NamespaceUse)]
    if namespaces:
        troubled |= yield from _cloud_map(settings, stop, account, namespaces)
    client = Aws(access(settings, account), stop=stop)
    try:
        for use in found:
            if not isinstance(use, NamespaceUse) and not (yield from _looked_at(settings, stop, client, use)):
                troubled.add(use.key)
    finally:
        client.close()
    return troubled


def _looked_at(
    settings: Settings, stop: threading.Event, client: Aws, use: SourceUse | ZoneUse | GroupsUse
) -> Generator[Finding, None, bool]:
    match use:
        case SourceUse():
            return (yield from source(client, use))
        case ZoneUse():
            return (yield from zone(client, use, stop))
        case GroupsUse():
            return (yield from target_groups(client, use, settings.owner))


def _cloud_map(
    settings: Settings, stop: threading.Event, account: Account, found: list[NamespaceUse]
) -> Generator[Finding, None, set[str]]:
    api = Accounts(settings, stop, lambda _call: None).api(account)
    reached = list(aws.reached(api, account))
    yield from reached
    if reached[0].level is Level.FAULT:
        return {use.key for use in found}
    troubled = set()
    for use in found:
        if not (yield from _namespace(api, use)):
            troubled.add(use.key)
    return troubled


def _namespace(api: Api, use: NamespaceUse) -> Generator[Finding, None, bool]:
    """Yield the findings about one namespace; return whether one can plan with it: it is there, or to be created."""
    found = looked_up(api, use.label, use.section)
    yield from found.findings
    others = (operation for operation in operations(use) if operation != aws.LISTING)
    yield from tried(use.label, tries(api, others, found.namespace))
    if found.namespace is None:
        return found.awaited
    yield from services(api, use.label, found.namespace)
    return True
