"""How much freed memory the C library keeps for later, whatever the number of clients."""

from __future__ import annotations

import ctypes
from functools import cache

LARGE = 8 << 20
"""Bytes; larger blocks are columns of all clients. A batch and what is made of it are smaller."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h."""


@cache
def bound_what_is_kept() -> None:
    """Have glibc give a LARGE block back as soon as it is freed, and keep at most twice as much at
    the end of what each thread has. By itself it raises both with the largest block that was freed,
    to 32 and 64 MB, and `malloc_trim` leaves the end of other threads' memory alone: what is kept
    then grows with the number of clients (mallopt(3), "dynamic mmap threshold"). Another C library
    is left as it is.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
        mallopt(_TRIM_THRESHOLD, 2 * LARGE)
