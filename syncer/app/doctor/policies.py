"""The least IAM policies for the settings: what each identity may do, as AWS takes it."""

from collections.abc import Iterable, Iterator
from typing import Final

from syncer.app.doctor import policies_cloudmap, policies_routes
from syncer.app.doctor.statements import Policy, document, statement
from syncer.app.doctor.uses import GroupsUse, NamespaceUse, SourceUse, Use, ZoneUse, by, uses
from syncer.settings import Settings

ITSELF: Final = "the identity that runs syncer"
"""What stands for the identity that the SDK finds by itself."""


def iam_policies(settings: Settings) -> dict[str, Policy]:
    """Return a policy for each identity that *settings* use: the one that runs the process, and each role's ARN.

    An identity that needs no right has none. Policies name queues, hosted zones and our owner's target groups. They
    do not name namespaces, which may be created, or clusters: many of those calls take no resource.
    """
    found = by(uses(settings), lambda account: account.role_arn or ITSELF)
    roles = sorted(found.keys() - {ITSELF})
    policies = {}
    if ITSELF in found or roles:
        own = list(_statements(found.get(ITSELF, ()), settings.owner))
        if roles:
            own.append(statement("Roles", ["sts:AssumeRole"], roles))
        policies[ITSELF] = document(own)
    return policies | {role: document(_statements(found[role], settings.owner)) for role in roles}


def _statements(found: Iterable[Use], owner: str) -> Iterator[Policy]:
    listed = tuple(found)
    yield from policies_cloudmap.statements([use for use in listed if isinstance(use, NamespaceUse)])
    yield from policies_routes.sources([use for use in listed if isinstance(use, SourceUse)])
    yield from policies_routes.zones([use for use in listed if isinstance(use, ZoneUse)])
    yield from policies_routes.groups([use for use in listed if isinstance(use, GroupsUse)], owner)
