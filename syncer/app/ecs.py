"""ECS as a source, wired from the settings."""

import threading
from collections.abc import Callable, Collection, Iterator
from types import MappingProxyType
from typing import Final

from syncer.app.registry import Opened
from syncer.app.routes import source_of
from syncer.settings import Settings
from syncer.settings.aws import Account
from syncer.settings.ecs import EcsSource as Section
from syncer.settings.ecs import EcsView
from syncer.systems.aws import Access, Call
from syncer.systems.ecs.dialects import Dialect, HostedZoneTags, Plain, Ports, PublicDiscovery, TargetGroups
from syncer.systems.ecs.mapping import Carry
from syncer.systems.ecs.source import EcsSource, SourceOptions, ViewOptions
from syncer.systems.ecs.views import Selection

_PLAIN: Final = "plain"


def access(settings: Settings, account: Account) -> Access:
    """Return how AWS is called with the rights of *account*."""
    aws = settings.aws
    return Access(
        region=account.region,
        profile=account.profile,
        role_arn=account.role_arn,
        external_id=account.external_id,
        endpoint_url=aws.endpoint_url,
        endpoint_urls={str(name): url for name, url in aws.endpoint_urls.items()},
        timeout=aws.timeout,
    )


def open_source(
    settings: Settings,
    section: Section,
    keys: Collection[str],
    *,
    on_call: Callable[[Call], None],
    stop: threading.Event,
    may_take: Callable[[], bool],
) -> tuple[tuple[Opened, ...], EcsSource]:
    """Return those views of *section* that *keys* name, and the source that they belong to. Calls nothing.

    Events are taken from its queue while *may_take* says so.
    """
    views = {_key(section.name, name): view for name, view in _views(section)}
    chosen = {key: view for key, view in views.items() if key in keys}
    source = EcsSource(
        section.name,
        access(settings, section.account(settings.aws)),
        SourceOptions(section.clusters, section.queue, section.poll, may_take),
        tuple(_options(_name(key), view) for key, view in chosen.items()),
        on_call=on_call,
        stop=stop,
    )
    opened = tuple(
        Opened(key, source.end(_name(key)), f"ECS {key.removeprefix('ecs/')}", whole=view.dialect != _PLAIN)
        for key, view in chosen.items()
    )
    return opened, source


def _views(section: Section) -> Iterator[tuple[str, EcsView]]:
    yield from section.views.items() or ((_PLAIN, EcsView()),)


def _key(source: str, view: str) -> str:
    return f"ecs/{source}" if view == _PLAIN else f"ecs/{source}/{view}"


def _name(key: str) -> str:
    """Return the view's name as the source knows it."""
    return key[len(source_of(key)) + 1 :]


def _options(name: str, view: EcsView) -> ViewOptions:
    selection = Selection(
        view.include,
        view.exclude,
        view.clusters,
        view.launch_types,
        MappingProxyType(dict(view.include_tags)),
        MappingProxyType(dict(view.exclude_tags)),
        view.standalone,
    )
    return ViewOptions(name, _dialect(view), selection, view.drain_seconds)


def _dialect(view: EcsView) -> Dialect:
    carry = Carry(view.tags_as_attributes, view.tags_as_tags)
    match view.dialect:
        case "plain":
            return Plain(view.name, Ports(view.ports), carry, view.service_tags)
        case "hosted-zone-tags":
            return HostedZoneTags(view.zone_id or "", carry, view.service_tags)
        case "public-discovery":
            return PublicDiscovery(view.zone or "", carry, view.service_tags)
        case "target-group-tags":
            return TargetGroups(carry)
