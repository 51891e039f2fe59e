"""Operations: accepted now, done a while later, listed as a change feed.

Source: AWS Cloud Map API reference, GetOperation and ListOperations.
"""

from collections.abc import Callable
from itertools import islice
from typing import Any

from .errors import ApiError, OperationFailure, invalid
from .model import Operation
from .paging import after, answer, page_size
from .state import Call, Registry

_KINDS = {
    "CREATE_NAMESPACE",
    "DELETE_NAMESPACE",
    "UPDATE_NAMESPACE",
    "UPDATE_SERVICE",
    "REGISTER_INSTANCE",
    "DEREGISTER_INSTANCE",
}


def submit(
    call: Call,
    kind: str,
    targets: dict[str, str],
    apply: Callable[[float], None],
    settle: Callable[[], None] = lambda: None,
) -> Operation:
    """Accept an operation that will call *apply* with its time of completion.

    It is SUBMITTED, then PENDING after a quarter of its time, then SUCCESS; or FAIL if *apply*
    raises OperationFailure or a fault asks for it. *settle* is called at the end in any case.
    """
    registry, state = call.registry, call.state
    date = state.timeline.wall(call.now)
    operation = Operation(
        f"{state.token(32)}-{state.token(8)}", kind, targets, registry.account, date, date, state.next()
    )
    _place(registry, operation)
    delay = _delay(call)
    forced = call.fail_with

    def finish(when: float) -> None:
        operation.status, operation.error_code, operation.error_message = _outcome(apply, forced, when)
        settle()
        _touch(registry, operation, when)
        for watcher in state.on_operation:
            watcher(when, operation)

    def pending(when: float) -> None:
        operation.status = "PENDING"
        _touch(registry, operation, when)

    if delay <= 0:
        finish(call.now)
    else:
        state.timeline.at(call.now + delay / 4, pending)
        state.timeline.at(call.now + delay, finish)
    return operation


def _outcome(
    apply: Callable[[float], None], forced: tuple[str, str] | None, when: float
) -> tuple[str, str, str]:
    """Return status, error code and error message of carrying *apply* out."""
    if forced:
        return "FAIL", *forced
    try:
        apply(when)
    except OperationFailure as failure:
        return "FAIL", failure.code, failure.message
    return "SUCCESS", "", ""


def _delay(call: Call) -> float:
    settings = call.state.settings
    spread = settings.operation_jitter * (2 * call.state.random.random() - 1)
    return settings.operation_delay * (1 + spread) + call.slow_by


def _place(registry: Registry, operation: Operation) -> None:
    registry.operations[operation.id] = operation
    registry.operations_of.setdefault(operation.targets["NAMESPACE"], {})[operation.id] = operation
    if len(registry.operations) > registry.state.settings.kept_operations:
        oldest = registry.operations.pop(next(iter(registry.operations)))
        del registry.operations_of[oldest.targets["NAMESPACE"]][oldest.id]


def _touch(registry: Registry, operation: Operation, when: float) -> None:
    """Note an update: both listings are kept in the order of the last update."""
    operation.updated = registry.state.timeline.wall(when)
    operation.seq = registry.state.next()
    for listing in (registry.operations, registry.operations_of[operation.targets["NAMESPACE"]]):
        if listing.pop(operation.id, None) is not None:
            listing[operation.id] = operation


def get_operation(call: Call) -> dict[str, Any]:
    """Return one operation. Raises OperationNotFound."""
    identifier = call.params["OperationId"]
    operation = call.registry.operations.get(identifier)
    if operation is None:
        raise ApiError("OperationNotFound", f"Operation {identifier} is not found.")
    return {"Operation": operation.wire()}


class _Filters:
    """The filters of one ListOperations call, checked and ready to use."""

    def __init__(self, filters: list[dict[str, Any]]) -> None:
        self.namespaces: list[str] | None = None
        self.since, self.until = 0.0, float("inf")
        self.others: list[Callable[[Operation], bool]] = []
        for one in filters:
            self._add(one["Name"], one.get("Condition", "EQ"), one["Values"])

    def _add(self, name: str, condition: str, values: list[str]) -> None:
        if name == "UPDATE_DATE":
            if condition != "BETWEEN" or len(values) != 2:
                raise invalid("UPDATE_DATE takes the condition BETWEEN and two values.")
            try:
                self.since, self.until = (float(value) for value in values)
            except ValueError as error:
                raise invalid("UPDATE_DATE takes seconds since 1970.") from error
            return
        several = ("EQ", "IN") if name in ("STATUS", "TYPE") else ("EQ",)
        if condition not in several or (condition == "EQ" and len(values) != 1):
            raise invalid(f"The condition {condition} does not fit {len(values)} values of {name}.")
        if name == "NAMESPACE_ID":
            self.namespaces = [value.rsplit("/", 1)[-1] for value in values]
        elif name == "SERVICE_ID":
            services = {value.rsplit("/", 1)[-1] for value in values}
            self.others.append(lambda operation: operation.targets.get("SERVICE") in services)
        elif name == "STATUS":
            statuses = {"SUCCESS" if value == "SUCCEED" else value for value in values}
            self.others.append(lambda operation: operation.status in statuses)
        else:
            if not _KINDS.issuperset(values):
                raise invalid(f"Not a type of operation: {', '.join(values)}.")
            self.others.append(lambda operation: operation.type in values)

    def first(self, operation: Operation) -> bool:
        """Whether namespace and date fit."""
        return self.since <= operation.updated <= self.until and (
            self.namespaces is None or operation.targets["NAMESPACE"] in self.namespaces
        )

    def rest(self, operation: Operation) -> bool:
        """Whether everything else fits."""
        return all(fits(operation) for fits in self.others)


def list_operations(call: Call) -> dict[str, Any]:
    """Return operations, the one updated last first.

    With filters after paging a page may be empty and yet have a token.
    """
    filters = _Filters(call.params.get("Filters", []))
    mode = call.state.settings.operation_filters
    size, position = page_size(call.params), after(call.params)
    listing = call.registry.operations
    if filters.namespaces is not None and len(filters.namespaces) == 1 and mode != "after":
        listing = call.registry.operations_of.get(filters.namespaces[0], {})
    chosen: list[Operation] = []
    for operation in reversed(listing.values()):
        if position is not None and operation.seq >= position:
            continue
        if mode != "after":
            if operation.updated < filters.since:
                break
            if not filters.first(operation) or (mode == "before" and not filters.rest(operation)):
                continue
        chosen.append(operation)
        if len(chosen) > size:
            break
    token = str(chosen[size - 1].seq) if len(chosen) > size else None
    shown = [o.summary() for o in islice(chosen, size) if filters.first(o) and filters.rest(o)]
    return answer("Operations", shown, token)
