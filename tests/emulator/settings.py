"""Everything about the emulator that a test or a benchmark may want to turn."""

from dataclasses import dataclass
from typing import Literal

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"
HEALTH_DELAY = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the emulated Cloud Map behaves. Times are seconds."""

    operation_delay: float = 0.2
    """From an accepted request to the end of its operation. The real one takes about 1 s."""

    operation_jitter: float = 0.0
    """Share by which each delay varies: 0.5 spreads it evenly from half to one and a half."""

    discover_lag: float = 0.1
    """From an operation's SUCCESS until Discover* and DNS show it."""

    health_scale: float = 1.0
    """Factor on the 30 s that a custom health status takes to become effective."""

    throttle: float | None = 1.0
    """Factor on rates and bursts; None lets everything through."""

    namespace_quota: int = 50
    """Namespaces of an account in a Region."""

    instances_per_service: int = 1_000
    """Instances of a service."""

    instances_per_namespace: int = 2_000
    """Instances of a namespace."""

    operation_filters: Literal["mixed", "before", "after"] = "mixed"
    """When ListOperations filters: before paging, after it, or (mixed) NAMESPACE_ID and
    UPDATE_DATE before, SERVICE_ID, STATUS and TYPE after. After means empty pages with a token."""

    revision_on_attributes: bool = True
    """Whether an update that only changes attributes moves InstancesRevision (nobody knows)."""

    reregister_resets_health: bool = False
    """Whether registering an instance again resets its health (nobody knows)."""

    reuse_service_ids: bool = True
    """Whether a service that was deleted and created again gets its old id back."""

    update_clears_description: bool = True
    """Whether UpdateService deletes a description that it is not sent."""

    kept_operations: int = 50_000
    """Operations remembered for each account and Region; the oldest are forgotten."""

    kept_calls: int = 200_000
    """Entries of the call log."""


REALISTIC = Settings(operation_delay=1.0, operation_jitter=0.5, discover_lag=0.5)
"""Times as seen on the real service."""
