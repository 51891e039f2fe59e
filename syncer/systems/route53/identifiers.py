"""SetIdentifiers: what is written on a record to know it again, in at most 128 characters.

    sync/<owner>/<origin>/<tail>/<instance>     the id is made of the instance and ends in the tail
    sync/<owner>/<origin>/=<id>/<instance>      an entry that another instance took over keeps the id it began with

The origin is a digest of the registry's id. What is too long, or not plain ASCII, is ``~`` and a digest of it: that
is then what the instance, or the owner, is known by.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from syncer.core.identity import MAX_LABEL, dns_label, short_digest
from syncer.core.model import Mark

LONGEST: Final = 128
"""Source: Route 53 API reference, ResourceRecordSet, SetIdentifier."""
_PREFIX: Final = "sync"
_OWNER: Final = 24
"""Characters of an owner id that are written out."""
_DIGITS: Final = 10
"""Hexadecimal digits of an origin, and at the end of every id."""
_INSTANCE: Final = LONGEST - len(f"{_PREFIX}////") - _OWNER - 2 * _DIGITS
_PLAIN: Final = re.compile(r"[!-}][!-~]*")
_DIGEST: Final = re.compile(r"~[0-9a-f]{16}")
_TAIL: Final = re.compile(r"[0-9a-f]{10}")


class Identifiers:
    """Writes and reads SetIdentifiers. What was read and is written again is the same."""

    def __init__(self, owner: str, origins: Iterable[str]) -> None:
        """Know our own *owner* id and the ids of the registries that we read from."""
        self._owners = {_short(owner, _OWNER): owner}
        self._origins = {short_digest(origin): origin for origin in origins}

    def write(self, mark: Mark, instance_id: str) -> str:
        """Return the SetIdentifier of the instance *instance_id* with *mark*; its service and chain are not in it."""
        instance = known_as(mark.instance)
        owner, origin = _short(mark.owner, _OWNER), _origin(mark.origin)
        tail = instance_id[-_DIGITS:]
        if _TAIL.fullmatch(tail) and _id(instance, tail) == instance_id:
            return f"{_PREFIX}/{owner}/{origin}/{tail}/{instance}"
        before = f"{_PREFIX}/{owner}/{origin}/={instance_id}/"
        return before + (instance if len(before) + len(instance) <= LONGEST else _digest(instance))

    def read(self, identifier: str) -> tuple[str, Mark] | None:
        """Return the instance's id and its mark; None for what no syncer wrote."""
        parts = identifier.split("/", 4)
        if len(parts) < 5 or parts[0] != _PREFIX or not all(parts[1:]):
            return None
        _, owner, origin, number, instance = parts
        if not number.startswith("=") and not _TAIL.fullmatch(number):
            return None
        mark = Mark(self._owners.get(owner, owner), self._origins.get(origin, f"~{origin}"), "", instance)
        return (number[1:] if number.startswith("=") else _id(instance, number)), mark

    def stored(self, mark: Mark) -> Mark:
        """Return what is left of *mark* once it was written and read again."""
        return replace(mark, service="", chain=(), instance=known_as(mark.instance))


def known_as(instance: str) -> str:
    """Return what the origin's *instance* id is known by in a SetIdentifier: itself, or its digest."""
    return _short(instance, _INSTANCE)


def _short(text: str, most: int) -> str:
    if _DIGEST.fullmatch(text):
        return text
    fits = len(text) <= most and _PLAIN.fullmatch(text) and not text.startswith("=")
    return text if fits else _digest(text)


def _digest(text: str) -> str:
    return "~" + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _origin(origin: str) -> str:
    return origin[1:] if origin.startswith("~") else short_digest(origin)


def _id(instance: str, tail: str) -> str:
    """Return the id that ends in *tail*, made as :func:`syncer.core.identity.target_id` makes it."""
    readable = dns_label(instance.rsplit("/", 1)[-1], MAX_LABEL - _DIGITS - 1) or "i"
    return f"{readable}-{tail}"
