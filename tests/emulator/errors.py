"""Errors as the emulated service puts them on the wire."""

from typing import Any


class ApiError(Exception):
    """An error answer: a code, an HTTP status, a message and the extra members of its shape."""

    def __init__(self, code: str, message: str, *, status: int = 400, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members

    def body(self) -> dict[str, Any]:
        """Return the JSON body. Cloud Map spells it ``Message``; the code travels in ``__type``."""
        return {"__type": self.code, "Message": self.message, **self.members}


class OperationFailure(Exception):
    """Raised while an accepted operation is carried out: it ends as FAIL with this code.

    Codes are those of ``Operation.ErrorCode``, such as INVALID_CHANGE_BATCH.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> ApiError:
    """Return ``InvalidInput`` with *message*."""
    return ApiError("InvalidInput", message)


def service_not_found(reference: str) -> ApiError:
    """Return ``ServiceNotFound`` for an id, ARN or name."""
    return ApiError("ServiceNotFound", f"Service {reference} is not found.")


def namespace_not_found(reference: str) -> ApiError:
    """Return ``NamespaceNotFound`` for an id, ARN or name."""
    return ApiError("NamespaceNotFound", f"Namespace {reference} is not found.")


def instance_not_found(reference: str) -> ApiError:
    """Return ``InstanceNotFound`` for an instance id."""
    return ApiError("InstanceNotFound", f"Instance with ID: {reference} not found.")


def duplicate(operation_type: str, operation_id: str) -> ApiError:
    """Return ``DuplicateRequest`` that names the operation in the way."""
    kind = "".join(word.capitalize() for word in operation_type.split("_"))
    return ApiError(
        "DuplicateRequest",
        f"Another operation of type {kind} and id {operation_id} is in progress",
        DuplicateOperationId=operation_id,
    )
