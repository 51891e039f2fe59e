"""What all AWS systems share: how AWS is reached, one call of an operation, and what its errors mean."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Final, Self

from botocore import xform_name
from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
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
from botocore.session import Session
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.nap import sleep_using_event
from typing_extensions import override

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
from syncer.core.model import nothing

_READS: Final = ("Describe", "Get", "List")

Answer = Mapping[str, Any]
"""What an operation answered, as the SDK has parsed it."""


@dataclass(frozen=True, slots=True)
class Access:
    """With whose rights, in which Region and through which endpoints AWS is called. Holds no secret."""

    region: str | None = None
    """None leaves it, like the credentials, to the SDK's own chain."""
    profile: str | None = None
    role_arn: str | None = None
    """A role to assume first."""
    external_id: str | None = None
    endpoint_url: str | None = None
    """One endpoint for every AWS service."""
    endpoint_urls: Mapping[str, str] = field(default_factory=nothing, hash=False)
    """Endpoints by AWS service (``ecs``, ``ec2``, ``sts`` …); they come before the one for all."""
    timeout: float = 10.0
    """Seconds that one attempt of a call may take to connect, and as many to answer."""
    connections: int = 32
    """Kept open at most, for each AWS service."""

    def endpoint(self, service: str) -> str | None:
        """Return the endpoint of *service*; None for AWS's own."""
        return self.endpoint_urls.get(service, self.endpoint_url)


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of a call, for metrics."""

    service: str
    operation: str
    """As AWS names it, such as ``DescribeTasks``."""
    seconds: float
    code: str = ""
    """The error's code; empty if it succeeded."""

    @property
    def error(self) -> str:
        """The code, under the name that observers know it by."""
        return self.code


def _unobserved(_call: Call) -> None:
    return


class Aws:
    """Calls AWS. Thread-safe; never retries by itself unless it is asked to, and every call has a timeout."""

    def __init__(
        self,
        access: Access,
        *,
        on_call: Callable[[Call], None] = _unobserved,
        stop: threading.Event | None = None,
    ) -> None:
        """Tell *on_call* every attempt; once *stop* is set, nothing is retried any more."""
        self.access = access
        self._on_call = on_call
        self._shared = stop is not None
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._clients: dict[tuple[str, float], BaseClient] = {}
        self._may_write: Callable[[], object] | None = None

    def permitted(self, may_write: Callable[[], object]) -> Self:
        """Return the same for somebody who may write only while *may_write* gives something true.

        It is asked right before each attempt of whatever is no reading operation.
        """
        other = copy(self)
        other._may_write = may_write  # noqa: SLF001 - of the same class
        return other

    @property
    def region(self) -> str:
        """The Region in force; empty where none is configured anywhere."""
        with self._lock:
            return self.access.region or str(self._ready().get_config_variable("region") or "")

    def call(self, service: str, operation: str, *, longer: float = 0.0, **parameters: Any) -> Answer:
        """Make one attempt of *operation* (``DescribeTasks``); raise :class:`SyncError` if it does not succeed.

        *longer* seconds are added to the timeout, for an operation that waits.
        """
        if self._may_write is not None and not operation.startswith(_READS) and not self._may_write():
            raise SyncError(f"{operation}: somebody else may be writing now", code="NoLease")
        began = time.monotonic()
        code = ""
        try:
            client = self._client(service, longer)
            method = getattr(client, xform_name(operation))
            answer: Answer = method(**parameters)
            return answer
        except (BotoCoreError, ClientError, ResponseParserError) as e:
            error = translate(e, operation)
            code = error.code
            raise error from e
        except (AttributeError, LookupError, TypeError, ValueError) as e:
            # The SDK takes the answer's types on trust: a list where an object belongs breaks its parser.
            code = type(e).__name__
            raise Garbled(f"{operation}: an answer of another shape than promised: {e}", code=code) from e
        finally:
            self._on_call(Call(service, operation, time.monotonic() - began, code))

    def retry(self, service: str, operation: str, *, attempts: int = 4, **parameters: Any) -> Answer:
        """As :meth:`call`, with up to *attempts* while AWS is unavailable or asks for fewer calls."""
        retrying = Retrying(
            retry=retry_if_exception_type(Unavailable),
            stop=stop_after_attempt(attempts) | stop_when_event_set(self._stop),
            wait=wait_random_exponential(multiplier=0.2, max=2.0),
            sleep=sleep_using_event(self._stop),
            reraise=True,
        )
        return retrying(self.call, service, operation, **parameters)

    def close(self) -> None:
        """Close what is idle; nothing is retried any more, unless that is for somebody else's *stop* to say."""
        if not self._shared:
            self._stop.set()
        with self._lock:
            for client in self._clients.values():
                client.close()

    def _client(self, service: str, longer: float) -> BaseClient:
        with self._lock:
            key = (service, longer)
            if key not in self._clients:
                self._clients[key] = create_client(self._ready(), self.access, service, longer=longer)
            return self._clients[key]

    def _ready(self) -> Session:
        if self._session is None:
            self._session = open_session(self.access)
        return self._session


def required(answer: Answer, name: str) -> Any:
    """Return the member *name* of *answer*; raise :class:`Garbled` where it is not there.

    The SDK reads an answer that is not JSON as one without members: it must not pass for an empty list.
    """
    if answer.get(name) is None:
        raise Garbled(f"the answer has no {name}")
    return answer[name]


def open_session(access: Access) -> Session:
    """Return a session with the credentials of *access*, which renew themselves."""
    session = Session(profile=access.profile)
    if access.role_arn is None:
        return session
    assumed = Session(profile=access.profile)
    assumed.register_component("credential_provider", CredentialResolver([_AssumedRole(session, access)]))
    return assumed


def create_client(
    session: Session, access: Access, service: str, *, longer: float = 0.0, **more: Any
) -> BaseClient:
    """Return a client of *service* that makes one attempt for each call."""
    config = Config(
        connect_timeout=access.timeout,
        read_timeout=access.timeout + longer,
        retries={"total_max_attempts": 1},
        max_pool_connections=access.connections,
        # Cloud Map's data plane and others put a prefix before the host, which no endpoint of one's own has.
        inject_host_prefix=access.endpoint(service) is None,
        user_agent_extra="consul-cloudmap-sync",
    )
    return session.create_client(
        service, region_name=access.region, endpoint_url=access.endpoint(service), config=config, **more
    )


class _AssumedRole(CredentialProvider):
    """The credentials of a role, assumed with those of another session."""

    METHOD = "assume-role"

    def __init__(self, session: Session, access: Access) -> None:
        super().__init__(session)
        self._access = access

    @override
    def load(self) -> DeferredRefreshableCredentials:
        source = self.session.get_credentials()
        if source is None:
            raise NoCredentialsError
        extra = {"RoleSessionName": "consul-cloudmap-sync"}
        if self._access.external_id:
            extra["ExternalId"] = self._access.external_id
        fetcher = AssumeRoleCredentialFetcher(self._sts, source, self._access.role_arn or "", extra)
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)

    def _sts(self, service: str, **credentials: Any) -> BaseClient:
        return create_client(self.session, self._access, service, **credentials)


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
