"""What the errors of AWS and its SDK mean to the project."""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own: no endpoint, no TLS, no proxy
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.parsers import ResponseParserError

from syncer.core.errors import (
    Busy,
    Denied,
    Garbled,
    Missing,
    QuotaExceeded,
    Refused,
    SyncError,
    Throttled,
    Unavailable,
)

T = TypeVar("T")

_CODES: Final[Mapping[type[SyncError], str]] = {
    Throttled: """EC2ThrottledException RequestLimitExceeded RequestThrottled RequestThrottledException SlowDown
        ThrottledException Throttling ThrottlingException TooManyRequestsException""",
    Denied: """AccessDenied AccessDeniedException AuthFailure ExpiredToken ExpiredTokenException IncompleteSignature
        InvalidClientTokenId InvalidSignatureException MissingAuthenticationToken NotAuthorized OptInRequired
        SignatureDoesNotMatch UnauthorizedOperation UnrecognizedClientException""",
    QuotaExceeded: """LimitExceededException QuotaExceeded RequestQuotaExceeded ResourceLimitExceeded
        ServiceQuotaExceededException TooManyTargets""",
    Busy: "ConflictException DuplicateRequest OperationInProgress PriorRequestNotComplete ResourceInUse",
    Refused: """CustomHealthNotFound InvalidInput InvalidParameter InvalidParameterCombination InvalidParameterException
        InvalidParameterValue MissingParameter ValidationError ValidationException""",
    Unavailable: """InternalError InternalFailure InternalServerError InternalServerException RequestTimeout
        RequestTimeoutException ServerException ServiceFault ServiceUnavailable ServiceUnavailableException
        Unavailable""",
}
_BY_CODE: Final = {code: kind for kind, codes in _CODES.items() for code in codes.split()}
_MISSING: Final = re.compile(
    r"NotFound(Exception|Fault)?$|^NoSuch|DoesNotExist$|NonExistentQueue$|\.NotFound$"
)


_REMEDIES: Final[Mapping[type[BotoCoreError], str]] = {
    NoRegionError: "write aws.region, or set AWS_REGION",
    NoCredentialsError: "run with a role of the task or the instance, set AWS_PROFILE, or write aws.profile",
    ProfileNotFound: "write aws.profile, or set AWS_PROFILE, as the profile is called in the shared AWS files",
}
"""What to do about what the SDK only names."""


def translate(error: BotoCoreError | ClientError | ResponseParserError, operation: str) -> SyncError:
    """Return what *error*, raised by *operation*, means to the project; judged by its code, never by a status."""
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        code = str(told.get("Code", "")) or "Unknown"
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        if code.isdecimal() and headers.get("x-amzn-errortype"):
            # AWS's JSON protocols let a server name the error there alone; the SDK then gives the status.
            code = headers["x-amzn-errortype"].split(":")[0].rpartition("#")[2]
        return kind_of(code)(f"{operation}: {code}: {told.get('Message', '')}".rstrip(": "), code=code)
    code = type(error).__name__
    kind: type[SyncError] = SyncError
    if isinstance(error, HTTPClientError | ConnectionError):
        kind = Unavailable
    elif isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        kind = Denied
    elif isinstance(error, ParamValidationError):
        kind = Refused
    elif isinstance(error, ResponseParserError | IncompleteReadError):
        kind = Garbled
    remedy = next((words for cause, words in _REMEDIES.items() if isinstance(error, cause)), "")
    what = f"{str(error).rstrip('.')}: {remedy}" if remedy else str(error)
    return kind(f"{operation}: {what}", code=code)


def kind_of(code: str) -> type[SyncError]:
    """Return the error that AWS's *code* stands for; plain :class:`SyncError` for one that is not known."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    if _MISSING.search(code):
        return Missing
    # What stands in for a code where the answer had none is its status.
    return Unavailable if code.isdigit() and code.startswith("5") else SyncError


def guarded(read: Callable[[], T]) -> T:
    """Return what *read* returns; an answer that is not of the expected form is a :class:`SyncError`, too."""
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise SyncError(f"an answer is not of the expected form: {e!r}", code="Garbled") from e
