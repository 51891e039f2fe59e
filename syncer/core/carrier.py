"""What a registry can carry: the limits of names, attributes and tags, as values that each system states."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from syncer.core.model import Instance, Skip

_TAGS_KEY: Final = 16
"""Characters set aside for the key of the attribute that carries the tags."""


@dataclass(frozen=True, slots=True)
class AttributeLimits:
    """How much a registry takes beside the address; all lengths in characters."""

    count: int
    """Attributes an instance may have beside what the mark itself needs."""
    key: re.Pattern[str]
    """What a key must match as a whole."""
    key_length: int
    value: re.Pattern[str]
    """What a value must match as a whole."""
    value_length: int
    total: int | None = None
    """Keys and values together, beside what the mark itself needs; None where there is no such limit."""
    reserved: tuple[str, ...] = ()
    """Prefixes of keys that belong to the registry or to the mark."""
    tags_length: int | None = None
    """All tags joined by commas; None where tags are first-class and unlimited."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """What one registry can carry, as far as translation must know it."""

    name_problem: Callable[[str], str | None]
    """Why a service name cannot be carried; None if it can."""
    attributes: AttributeLimits
    unique_address: bool = False
    """Whether two instances of one service may not share an address (Cloud Map with A records)."""
    service_entities: bool = False
    """Whether services exist apart from their instances, to be created and deleted."""
    hostnames: bool = True
    """Whether an instance may have a hostname instead of an address."""
    public_addresses: bool = False
    """Whether an instance has fields for public addresses."""
    healths: bool = True
    """Whether an instance has a health of its own."""
    stored: Callable[[Instance], Instance] | None = None
    """What the registry gives back of an instance that was written, its health apart: a DNS record has no port, a
    load balancer's target no mark. Doing so twice changes nothing. What becomes equal in its mark is one entry."""


def fit(instance: Instance, limits: AttributeLimits) -> tuple[Instance, tuple[Skip, ...]]:
    """Return *instance* with what *limits* let through of its attributes and tags, and what was dropped.

    Keys are taken in sorted order, so the same input always loses the same things. Fitting twice changes nothing.
    """
    kept: dict[str, str] = {}
    dropped: list[Skip] = []
    tags, lost = _fit_tags(instance.tags, limits)
    count, room = limits.count, limits.total
    if limits.tags_length is not None and tags:
        count -= 1
        if room is not None:
            room -= len(",".join(tags)) + _TAGS_KEY
    for key, value in sorted(instance.attributes.items()):
        reason = _problem(key, value, limits)
        if reason is None and len(kept) >= count:
            reason = f"an instance may have {limits.count} attributes there"
        if reason is None and room is not None and len(key) + len(value) > room:
            reason = f"all attributes together may have {limits.total} characters there"
        if reason is not None:
            dropped.append(Skip(instance.service, instance.id, f"attribute {key!r} is not carried: {reason}"))
            continue
        kept[key] = value
        if room is not None:
            room -= len(key) + len(value)
    dropped.extend(
        Skip(instance.service, instance.id, f"tag {tag!r} is not carried: {reason}") for tag, reason in lost
    )
    return replace(instance, attributes=MappingProxyType(kept), tags=tags), tuple(dropped)


def _problem(key: str, value: str, limits: AttributeLimits) -> str | None:
    if key.startswith(limits.reserved):
        return "the key is reserved"
    if len(key) > limits.key_length or not limits.key.fullmatch(key):
        return "the key is not allowed there"
    if len(value) > limits.value_length:
        return f"the value is longer than {limits.value_length} characters"
    if not limits.value.fullmatch(value):
        return "the value has characters that are not allowed there"
    return None


def _fit_tags(
    tags: tuple[str, ...], limits: AttributeLimits
) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """Return the tags that go through, and those that do not, with the reason."""
    if limits.tags_length is None:
        return tags, []
    room = limits.tags_length if limits.count > 0 else 0
    if limits.total is not None:
        room = min(room, limits.total - _TAGS_KEY)
    kept: list[str] = []
    lost: list[tuple[str, str]] = []
    for tag in tags:
        if "," in tag or not limits.value.fullmatch(tag) or not tag:
            lost.append((tag, "it has characters that are not allowed there"))
        elif len(tag) > room:
            lost.append((tag, f"all tags together may have {limits.tags_length} characters there"))
        else:
            kept.append(tag)
            room -= len(tag) + 1  # and the comma behind it
    return tuple(kept), lost
