"""Marks in service meta: what a syncer writes on an instance in Consul, and how it is known again.

    sync-owner       the owner's id
    sync-origin      the registry it came from
    sync-service     its service there
    sync-instance    its id there
    sync-chain       registries before the origin, oldest first, joined by commas; absent where there are none
    external-*       for people, Consul's web UI and other tools; never read back beside sync-owner

A value in Consul's meta has at most 512 bytes. What is longer goes on under the same key with ``-2``, ``-3`` and so
on behind it, so nothing is lost and marks stay comparable for equality.
"""

import sys
from collections.abc import Mapping
from typing import Final

from syncer.core.errors import Refused
from syncer.core.model import Mark

VALUE_BYTES: Final = 512
"""Source: Consul's lib/metadata limits, measured on 1.8.7: bytes, not characters."""
PAIRS: Final = 64
"""Pairs that an instance's meta may have in Consul."""
MARK_PAIRS: Final = 16
"""How many of them are kept for the mark."""

_FIELDS: Final = ("owner", "origin", "service", "instance", "chain")
_EXTERNAL: Final = ("external-source", "external-aws-ns", "external-aws-id")
RESERVED: Final = ("consul-", *(f"sync-{field}" for field in _FIELDS), "external-source", "external-aws-")
"""Prefixes of keys that users' attributes may not have there."""
_AWS: Final = ("cloudmap/", "ecs/")
CONSUL_AWS: Final = "consul-aws"
"""The owner that instances written by hashicorp/consul-aws are held to have."""


def to_meta(mark: Mark) -> dict[str, str]:
    """Return the pairs that stand for *mark*.

    Raises:
        Refused: it is too long.
    """
    meta: dict[str, str] = {}
    values = (mark.owner, mark.origin, mark.service, mark.instance, ",".join(mark.chain))
    for field, value in zip(_FIELDS, values, strict=True):
        if value or field != "chain":
            meta.update(_spread(f"sync-{field}", value))
    if mark.origin.startswith(_AWS):
        meta["external-source"] = "aws"
        external = {"external-aws-ns": mark.origin.split("/", 1)[1], "external-aws-id": mark.instance}
        meta.update((key, value) for key, value in external.items() if len(value.encode()) <= VALUE_BYTES)
    if len(meta) > MARK_PAIRS:
        raise Refused(f"the mark of {mark.instance[:60]!r} is too long for Consul's meta", code="mark")
    return meta


def from_meta(meta: Mapping[str, str], service: str) -> tuple[Mark | None, dict[str, str]]:
    """Return the mark in *meta*, if there is one, and what is left without it."""
    if "sync-owner" in meta:
        owner, origin, name, instance, chain = (_gathered(f"sync-{field}", meta) for field in _FIELDS)
        mark = Mark(
            sys.intern(owner),
            sys.intern(origin),
            sys.intern(name),
            instance,
            tuple(chain.split(",")) if chain else (),
        )
        return mark, {key: value for key, value in meta.items() if not _is_of_mark(key)}
    if meta.get("external-source") == "aws" and "external-aws-id" in meta:
        origin = f"cloudmap/{meta.get('external-aws-ns', '')}"
        mark = Mark(CONSUL_AWS, origin, service, meta["external-aws-id"])
        return mark, {key: value for key, value in meta.items() if key not in _EXTERNAL}
    return None, dict(meta)


def _is_of_mark(key: str) -> bool:
    if key in _EXTERNAL:
        return True
    base, _, number = key.rpartition("-")
    return (base if number.isdecimal() else key) in {f"sync-{field}" for field in _FIELDS}


def _spread(key: str, value: str) -> dict[str, str]:
    """Cut *value* at the byte limit, never inside a character."""
    pieces: list[str] = []
    rest = value
    while len(rest.encode()) > VALUE_BYTES:
        piece = rest.encode()[:VALUE_BYTES].decode(errors="ignore")
        pieces.append(piece)
        rest = rest[len(piece) :]
    pieces.append(rest)
    return {key if number == 1 else f"{key}-{number}": piece for number, piece in enumerate(pieces, 1)}


def _gathered(key: str, meta: Mapping[str, str]) -> str:
    pieces = [meta.get(key, "")]
    while (following := meta.get(f"{key}-{len(pieces) + 1}")) is not None:
        pieces.append(following)
    return "".join(pieces)
