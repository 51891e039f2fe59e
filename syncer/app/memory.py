"""Keeping resident memory near what is in use.

The wide answers of a large catalogue are megabytes that live for milliseconds. glibc keeps what was freed, in an
arena for each of many threads, unless it is told not to (mallopt(3), malloc_trim(3)).
"""

import ctypes
import sys
from typing import Final

_ARENA_MAX: Final = -8
_ARENAS: Final = 2
_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 128 * 1024
"""Bytes from which on memory comes from the system, and goes back at once. glibc raises its own limit, up to 32 MB, by
what it saw freed: whole answers then stay in an arena, with holes between."""
EVERY: Final = 5.0
"""Seconds between two trims, which take a few milliseconds."""


def tame() -> None:
    """Have the allocator share two arenas among all threads, and keep nothing large; does nothing without glibc."""
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_ARENA_MAX, _ARENAS)
        libc.mallopt(_MMAP_THRESHOLD, _LARGE)


def trim() -> None:
    """Give back to the system what is free; does nothing without glibc."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None
