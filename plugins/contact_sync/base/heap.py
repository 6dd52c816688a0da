"""The C library's heap, from which Arrow, ADBC and Python take their memory."""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8  # glibc, malloc.h


def share_one_heap() -> None:
    """Have all threads take their memory from one heap. Batches of clients wander from thread to
    thread, and by default (glibc, mallopt) each thread has a heap of its own, where what it frees
    isn't there for the others: 60 MB at the peak of a million clients.

    To be called before other threads are there, of which numpy's import makes one: what they took
    stays. Does nothing with another C library than glibc.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_ARENA_MAX, 1)
