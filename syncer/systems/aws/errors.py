"""What the errors of AWS and its SDK mean to the project."""

import re
from collections.abc import Mapping
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own: no endpoint, no TLS, no proxy
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
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


def translate(error: BotoCoreError | ClientError | ResponseParserError, operation: str) -> SyncError:
    """Return what *error*, raised by *operation*, means to the project; judged by its code, never by a status."""
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        code = str(told.get("Code", "")) or "Unknown"
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
    return kind(f"{operation}: {error}", code=code)


def kind_of(code: str) -> type[SyncError]:
    """Return the error that AWS's *code* stands for; plain :class:`SyncError` for one that is not known."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    if _MISSING.search(code):
        return Missing
    # What stands in for a code where the answer had none is its status.
    return Unavailable if code.isdigit() and code.startswith("5") else SyncError
