"""A registry in memory: an honest fake, for tests of whatever stands on registries.

It holds what it is given and refuses what a real one would: an instance in a service that does not exist, an address
twice where that is not possible, attributes that were not fitted, the removal of a service that is not empty. On
request it fails, waits, and says how often it was asked.
"""

from syncer.systems.memory.faults import Faults
from syncer.systems.memory.registry import MemoryRegistry
from syncer.systems.memory.watch import MemoryWatch
from syncer.systems.memory.writer import MemoryWriter

__all__ = ["Faults", "MemoryRegistry", "MemoryWatch", "MemoryWriter"]
