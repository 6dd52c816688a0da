"""The C library's heap, from which Arrow, ADBC and Python take their memory."""

from __future__ import annotations

import ctypes
import os
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # glibc, malloc.h
LARGE = 16 << 20
"""Bytes; what is larger is a column of all clients of a large source. A batch, and what is made of
it, is smaller."""


@cache
def share_and_bound_heap() -> None:
    """Have all threads take their memory from one heap, and bound what it keeps. Batches of clients
    wander from thread to thread, and by default (glibc, mallopt) each thread has a heap of its own,
    where what it frees isn't there for the others: 60 MB at the peak of a million clients.

    A LARGE block is taken from the system and given back as soon as it is freed, and at most twice
    as much is kept at the heap's end. By itself glibc raises both limits with the largest block
    that was freed, to 32 and 64 MB (mallopt, "dynamic mmap threshold"): then what is kept of freed
    memory grows with the number of clients.

    To be called before other threads are there, of which numpy's import makes one: heaps that they
    have stay. So it is late in a server, as Airflow's, that begins to read by Arrow. Does nothing
    with another C library than glibc.

    numpy is told to make no thread: they are for matrices, of which there are none here, and wait
    for work at full speed at first, which takes as much CPU as the import (OpenBLAS, USAGE.md).
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_ARENA_MAX, 1)
        set_option(_M_MMAP_THRESHOLD, LARGE)
        set_option(_M_TRIM_THRESHOLD, 2 * LARGE)
