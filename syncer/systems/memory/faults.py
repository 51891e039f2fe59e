"""What goes wrong in memory, on request."""

import threading
from collections import Counter

from syncer.core.errors import SyncError, Unavailable


class Faults:
    """What goes wrong, and when. Operations are ``list``, ``read`` and ``write``. Thread-safe."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        """Calls so far, by operation."""
        self.gates: dict[str, threading.Event] = {}
        """An operation with a gate waits until that is set."""
        self.patience = 60.0
        """Seconds that a call waits at its gate before it fails; longer than any test by default."""
        self._coming: dict[tuple[str, int], SyncError] = {}
        self._broken: dict[str, SyncError] = {}
        self._lock = threading.Lock()

    def fail(self, operation: str, error: SyncError, *, nth: int = 1) -> None:
        """Let the *nth* call of *operation* from now on fail with *error*."""
        with self._lock:
            self._coming[operation, self.calls[operation] + nth] = error

    def break_(self, name: str, error: SyncError) -> None:
        """Let every call of the operation *name*, or every read of the service *name*, fail until it is mended."""
        self._broken[name] = error

    def mend(self, name: str) -> None:
        """End what :meth:`break_` began."""
        self._broken.pop(name, None)

    def meet(self, operation: str, service: str = "") -> None:
        """Count a call, let it wait at its gate, and raise what it meets there.

        Raises:
            SyncError: as it was asked for.
        """
        with self._lock:
            self.calls[operation] += 1
            coming = self._coming.pop((operation, self.calls[operation]), None)
        gate = self.gates.get(operation)
        if gate is not None and not gate.wait(self.patience):
            raise Unavailable(f"the gate of {operation} stayed shut for {self.patience:g} s")
        error = coming or self._broken.get(operation) or (operation == "read" and self._broken.get(service))
        if error:
            raise error
