"""How AWS is reached: with whose rights, in which Region, through which endpoints; and clients that do so."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError
from botocore.loaders import Loader
from botocore.session import Session
from typing_extensions import override

from syncer.core.model import nothing


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


class Sessions:
    """Makes clients with the same credentials, which renew themselves. Not thread-safe.

    No session outlives the client that is made with it: with its loader it holds the endpoints of every service of
    AWS, seven megabytes of them. Only the credentials are kept, so that no client asks for others.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._credentials: Any = None

    @property
    def region(self) -> str:
        """The Region in force; empty where none is configured anywhere."""
        return self._access.region or str(_session(self._access).get_config_variable("region") or "")

    def client(self, service: str, *, longer: float = 0.0) -> BaseClient:
        """Return a client of *service*; *longer* seconds are added to its timeout.

        Raises:
            BotoCoreError: such as NoCredentialsError. They are looked for again each time, until they are found.
        """
        if self._credentials is None:
            self._credentials = _credentials(self._access)
        session = _session(self._access)
        known = CredentialResolver([_Known(session, self._credentials)])
        session.register_component("credential_provider", known)
        return create_client(session, self._access, service, longer=longer)


def _session(access: Access) -> Session:
    session = Session(profile=access.profile)
    session.register_component("data_loader", _Forgetful())
    # ECS sets it in every task, and the SDKs of other languages read it; this one does not.
    elsewhere = os.environ.get("AWS_REGION")
    if elsewhere and not session.get_config_variable("region"):
        session.set_config_variable("region", elsewhere)
    return session


def _credentials(access: Access) -> Any:
    session = _session(access)
    if access.role_arn is not None:
        return _AssumedRole(session, access).load()
    found = session.get_credentials()
    if found is None:
        raise NoCredentialsError
    return found


class _Forgetful(Loader):
    """Reads the SDK's data files again whenever they are asked for, rather than keep them with each client."""

    @property
    def _cache(self) -> dict[Any, Any]:
        return {}

    @_cache.setter
    def _cache(self, value: dict[Any, Any]) -> None:
        """Keep nothing."""


class _Known(CredentialProvider):
    """Credentials that were found before."""

    METHOD = "known"

    def __init__(self, session: Session, credentials: Any) -> None:
        super().__init__(session)
        self._credentials = credentials

    @override
    def load(self) -> Any:
        return self._credentials


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
