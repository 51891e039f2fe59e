"""An emulated AWS: Cloud Map with its real rules, moto for the rest, and a DNS server."""

from .faults import Fault
from .server import EmulatedAws
from .settings import REALISTIC, Settings

__all__ = ["REALISTIC", "EmulatedAws", "Fault", "Settings"]
