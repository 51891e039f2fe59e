"""Faults on purpose in the emulated ECS, EC2 and SSM."""

import threading
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal[
    "error",  # answer with `code`
    "http500",  # status 500 and a page of HTML
    "reset",  # break the connection
    "garbled",  # status 200, and something that is not of the protocol
    "delay",  # answer `seconds` late
]


@dataclass(slots=True, kw_only=True)
class EcsFault:
    """One fault: hits calls of *operation* whose body holds *holding*, after *skip* of them, *count* times."""

    operation: str
    kind: FaultKind = "error"
    code: str = "ServerException"
    holding: str = ""
    skip: int = 0
    count: int | None = None
    seconds: float = 1.0
    hits: int = 0


class EcsFaults:
    """The faults in force. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[EcsFault] = []

    def add(self, fault: EcsFault) -> EcsFault:
        """Put *fault* in force."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Lift all."""
        with self._lock:
            self._faults.clear()

    def take(self, operation: str, body: bytes) -> EcsFault | None:
        """Return the fault that hits this call, if any."""
        text = body.decode("latin-1")
        with self._lock:
            for fault in self._faults:
                if fault.operation not in (operation, "*") or fault.holding not in text:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                elif fault.count is None or fault.hits < fault.count:
                    fault.hits += 1
                    return fault
        return None
