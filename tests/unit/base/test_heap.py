"""The one heap of all threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

HEAPS = """
import ctypes, sys, threading
from contact_sync.base.heap import share_and_bound_heap
if sys.argv[1] == "shared":
    share_and_bound_heap()
both = threading.Barrier(3)
def work():
    both.wait()
    kept = bytearray(1000)
    both.wait()
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
both.wait()
both.wait()
library = ctypes.CDLL(None)
library.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(library.fdopen(1, b"w"))
library.malloc_info(0, out)
library.fflush(out)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others have no such heaps")
def test_threads_take_their_memory_from_one_heap() -> None:
    """By default each has one of its own."""
    own = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")
    environment = {name: value for name, value in os.environ.items() if name not in own}
    heaps = {
        how: subprocess.run(
            [sys.executable, "-c", HEAPS, how],
            capture_output=True,
            check=True,
            text=True,
            env=environment,
        ).stdout.count("<heap ")
        for how in ("shared", "apart")
    }
    assert heaps["shared"] == 1
    assert heaps["apart"] > 1
