"""What is held of all clients at once: so many bytes a client, and nothing of what was read."""

from __future__ import annotations

import platform
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from contact_sync.contacts.hash_keys import PLAIN
from contact_sync.contacts.selection import verdicts
from contact_sync.run.scan_clients import collected
from contact_sync.verify.called_for import CalledFor

BATCH, BATCHES = 10_000, 10
CLIENTS = BATCH * BATCHES


def traced(peak: int) -> float:
    """Bytes a client."""
    return peak / CLIENTS


def addresses() -> Iterator[pa.RecordBatch]:
    """Rows of scan.sql; every tenth shares its address."""
    for start in range(0, CLIENTS, BATCH):
        ids = np.arange(start, start + BATCH)
        emails = pa.array([f"{n - (n % 10 == 0)}@example.com" for n in ids.tolist()])
        columns = [pa.array(ids.copy()), emails, pa.nulls(BATCH, pa.string())]
        yield pa.RecordBatch.from_arrays(columns, ["client_id", "email", "exclusion"])


def clients() -> Iterator[pa.RecordBatch]:
    """Whoever calls for a contact, in no order."""
    for start in range(0, CLIENTS, BATCH):
        ids = np.arange(start, start + BATCH)
        columns = [ids, ids * 7919 % CLIENTS, ids, ids % 2 == 0]
        names = ["client_id", "email_hash", "row_hash", "is_exact"]
        yield pa.RecordBatch.from_arrays([pa.array(column) for column in columns], names)


@pytest.fixture
def _traced() -> Iterator[None]:
    """numpy tells tracemalloc what it takes; what has to be imported is there already."""
    verdicts(collected([next(addresses())], "scan", PLAIN))
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("_traced")
def test_a_scan_keeps_17_bytes_a_client_and_no_batch() -> None:
    """And to judge everybody takes half as much again, for a moment."""
    before = pa.total_allocated_bytes()
    scan = collected(addresses(), "scan", PLAIN)
    assert traced(pa.total_allocated_bytes() - before) < 1
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    assert int((verdicts(scan) != 0).sum()) == CLIENTS // 10 - 1
    _, peak = tracemalloc.get_traced_memory()
    assert traced(kept) < 20
    assert traced(peak - kept) < 20


@pytest.mark.usefixtures("_traced")
def test_what_clients_call_for_takes_17_bytes_a_client() -> None:
    """And twice as much for a moment, while it is sorted."""
    called = CalledFor(clients(), CLIENTS)
    kept, peak = tracemalloc.get_traced_memory()
    assert len(called.email_hash) == CLIENTS
    assert traced(kept) < 20
    assert traced(peak) < 40


ALLOCATION = """
import resource
import numpy as np
from contact_sync.base.heap import share_and_bound_heap

def resident():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * resource.getpagesize() / 1e6

share_and_bound_heap()
before = resident()
for _ in range(3):
    np.ones(3_000_000)
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others keep it otherwise")
def test_a_column_of_everybody_is_given_back_once_it_is_freed() -> None:
    """By itself glibc keeps 24 MB once it has seen a block of that size freed."""
    found = subprocess.run(
        [sys.executable, "-c", ALLOCATION], check=True, capture_output=True, text=True
    )
    assert float(found.stdout) < 12
