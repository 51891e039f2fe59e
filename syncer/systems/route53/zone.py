"""One hosted zone: read whole or by name, changed in batches, and what is remembered of it in between."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from syncer.core.errors import Garbled, SyncError
from syncer.systems.aws import Answer, required
from syncer.systems.route53.api import Route53, explained
from syncer.systems.route53.records import RecordChange, RecordSet, from_api, to_api
from syncer.systems.route53.zones import HostedZone

_PAGE: Final = 300
"""Record sets in a page, at most. Source: Route 53 API reference, ListResourceRecordSets."""
_FEW: Final = 100
"""Record sets in a page where one name is read: more of one name and type Route 53 does not take."""
_PAGES: Final = 10_000
_KEEPS: Final = 60.0
"""Seconds for which a listing answers reads of single names."""

Records = tuple[RecordSet, ...]


class Zone:
    """Reads and changes one hosted zone. Thread-safe; each call raises :class:`SyncError` if it fails."""

    def __init__(
        self, api: Route53, hosted: HostedZone, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.hosted = hosted
        self._api = api
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Records] = {}
        self._unread: set[str] = set()
        self._listed = float("-inf")
        self._written: dict[str, float] = {}

    def list_names(self) -> Mapping[str, Records]:
        """Read the whole zone; return its record sets by name. Reads of single names are answered from it, once."""
        began = self._clock()
        found: dict[str, list[RecordSet]] = {}
        for record in self._records({}, _PAGE):
            found.setdefault(record.name, []).append(record)
        listed = {name: tuple(records) for name, records in found.items()}
        with self._lock:
            changed = {name: self._known.get(name, ()) for name in self._written_since(began)}
            self._known = listed | changed
            self._unread = set(listed) - set(changed)
            self._listed = began
        return listed

    def read(self, name: str) -> Records:
        """Read the record sets called *name*."""
        began = self._clock()
        found = []
        for record in self._records({"StartRecordName": f"{name}."}, _FEW):
            if record.name != name:
                break
            found.append(record)
        with self._lock:
            if self._written.get(name, float("-inf")) < began:
                self._known[name] = tuple(found)
        return tuple(found)

    def listed(self, name: str) -> Records | None:
        """Return what the last listing said of *name*; None where that was used already, or is too old.

        A name that was not in the listing has no records.
        """
        with self._lock:
            old = self._clock() > self._listed + _KEEPS
            if old or self._written.get(name, float("-inf")) >= self._listed:
                return None
            if name in self._unread:
                self._unread.discard(name)
                return self._known[name]
            if name in self._known:
                return None
            self._known[name] = ()
            return ()

    def recall(self, name: str) -> Records | None:
        """Return what *name* was when it was last read or written; None where nothing is known."""
        with self._lock:
            return self._known.get(name)

    def change(self, changes: Sequence[RecordChange]) -> str:
        """Carry *changes* out, all or none; return the change's id.

        An ``InvalidChangeBatch`` comes as a :class:`SyncError` with that code.
        """
        batch = [{"Action": item.action, "ResourceRecordSet": to_api(item.record)} for item in changes]
        try:
            answer = self._api.call(
                "ChangeResourceRecordSets", HostedZoneId=self.hosted.id, ChangeBatch={"Changes": batch}
            )
        except SyncError as e:
            self._note(changes, done=False)
            raise explained(e, self.hosted.id) from e
        self._note(changes, done=True)
        return str(required(answer, "ChangeInfo")["Id"])

    def _note(self, changes: Sequence[RecordChange], *, done: bool) -> None:
        with self._lock:
            for item in changes:
                record = item.record
                self._written[record.name] = self._clock()
                known = self._known.get(record.name)
                if known is None or not done:
                    continue
                kept = tuple(other for other in known if other.key != record.key)
                self._known[record.name] = kept if item.action == "DELETE" else (*kept, record)

    def _written_since(self, when: float) -> list[str]:
        return [name for name, written in self._written.items() if written >= when]

    def _records(self, cursor: dict[str, Any], size: int) -> Iterator[RecordSet]:
        """Yield record sets from *cursor* on, in pages of *size*, to the very last."""
        for _ in range(_PAGES):
            answer = self._page(cursor, size)
            try:
                records = [from_api(given) for given in required(answer, "ResourceRecordSets")]
            except (KeyError, ValueError, TypeError) as e:
                raise Garbled(f"ListResourceRecordSets: the answer is not understood: {e}") from e
            yield from records
            if not required(answer, "IsTruncated"):
                return
            before, cursor = cursor, _following(answer)
            if cursor == before:
                break
        raise Garbled("ListResourceRecordSets: the pages do not end")

    def _page(self, cursor: dict[str, Any], size: int) -> Answer:
        try:
            return self._api.call(
                "ListResourceRecordSets", HostedZoneId=self.hosted.id, MaxItems=str(size), **cursor
            )
        except SyncError as e:
            raise explained(e, self.hosted.id) from e


def _following(answer: Answer) -> dict[str, Any]:
    """Return the cursor of the next page: name, type, and SetIdentifier where the next record has one."""
    members = {"StartRecordName": "NextRecordName", "StartRecordType": "NextRecordType"}
    cursor = {member: required(answer, given) for member, given in members.items()}
    if answer.get("NextRecordIdentifier"):
        cursor["StartRecordIdentifier"] = answer["NextRecordIdentifier"]
    return cursor
