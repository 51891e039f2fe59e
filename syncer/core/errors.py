"""The project's errors: one small tree, made at each system's edge and judged by the engine.

An SDK's exception never travels further than the module that called it: it is translated here with
``raise … from``, so that whoever decides (try again, slow down, give up) needs to know no SDK.
"""


class SyncError(Exception):
    """Anything that a registry did not do as it was asked.

    *code* is the registry's own word for it (``ThrottlingException``, ``403``), fit for a metric's label.
    """

    retryable = True
    """Whether the same call may succeed later although nobody changed anything."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code or type(self).__name__


class Unavailable(SyncError):
    """The registry did not answer, or answered that it cannot serve now."""


class Throttled(Unavailable):
    """The registry asked for fewer calls."""


class Busy(SyncError):
    """Another operation on the same thing is in progress; *operation* names it where that is known."""

    def __init__(self, message: str, *, code: str = "", operation: str | None = None) -> None:
        super().__init__(message, code=code)
        self.operation = operation


class Denied(SyncError):
    """The credentials lack a right. Retried slowly: somebody may grant it."""


class Missing(SyncError):
    """What the call names does not exist."""


class Refused(SyncError):
    """The registry will never take this input: a limit, a pattern, a wrong combination."""

    retryable = False


class QuotaExceeded(SyncError):
    """A quota of the account is used up. Retried slowly: something may be removed, or the quota raised."""


class Garbled(Unavailable):
    """An answer came that is not what its protocol promises: cut short, wrong type, not JSON."""
