"""What a verification costs, beside what it can't do without: reading both sides.

`python -m benchmarks.verification read|download|verify`, the target on standard input. `read` is
one full read of B2CORE, `download` one download of the exports that a verification needs (that of
the account, and that of the list), parsed as it does; SendGrid's time to write them isn't counted,
here and in `verify`.
"""
# ruff: noqa: E402

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing

from contact_sync.base.heap import share_and_bound_heap

share_and_bound_heap()  # before anything else is imported, as `python -m contact_sync` does

import pyarrow as pa

from benchmarks.measure import Measured, measure
from benchmarks.product import open_sync
from benchmarks.results import Figures, of_program, over
from benchmarks.scenarios import NotDoneError, Say, line
from benchmarks.target import answer, read_target
from benchmarks.world import World
from contact_sync.base.verdicts import Count, ExportStatus
from contact_sync.contacts.mapping import Mapping
from contact_sync.postgres.arrow_reader import ahead
from contact_sync.run.scan_clients import scan_clients
from contact_sync.sendgrid.export_files import Fetched
from contact_sync.state import runs
from contact_sync.sync import Sync
from contact_sync.verify import in_one_process
from contact_sync.verify.account_side import EMAIL, columns_of
from contact_sync.verify.begin_verification import resolve_destination
from contact_sync.verify.export_contacts import contact_chunks

PROGRAMS = ("read", "download", "verify")


def verification_figures(world: World, repetitions: int, say: Say) -> Iterator[Figures]:
    """The figures of the part `verify`, after a first load into an account that keeps contacts."""
    world.start_over(store_only=False)
    measure(world, "incremental")
    times: dict[str, list[Measured]] = {name: [] for name in PROGRAMS}
    for repetition in range(1, repetitions + 1):
        for name in PROGRAMS:
            times[name].append(measured := measure(world, f"verification {name}"))
            say(line(f"{repetition}/{repetitions} {name}", measured))
        yield figures(times)


def figures(times: dict[str, list[Measured]]) -> Figures:
    """Medians; `verify_over_read`: a verification over one reading of both sides."""
    found: Figures = {}
    for name, measured in times.items():
        found |= of_program("verify" if name == "verify" else f"verify_{name}", measured)
    for name, measured in times.items():  # of these, the programs' own clocks: without the waiting
        key = "verify" if name == "verify" else f"verify_{name}"
        seconds = sorted(m.answer["seconds"] for m in measured)
        found[f"{key}_s"] = seconds[len(seconds) // 2]
        found[f"{key}_min_s"], found[f"{key}_max_s"] = seconds[0], seconds[-1]
    found["verify_over_read"] = over(
        found["verify_s"], found["verify_read_s"] + found["verify_download_s"]
    )
    return found


def read(sync: Sync) -> int:
    """Read all addresses, and all mapped columns of all clients."""
    mapping = _mapping(sync)
    with sync.b2core.snapshot() as snapshot:
        ids = scan_clients(snapshot, sync.hashing()).client_id
        batches = snapshot.clients(mapping.columns, int(ids[0]), int(ids[-1]), None)
        return sum(batch.num_rows for batch in ahead(batches))


def _mapping(sync: Sync) -> Mapping:
    with sync.state.transaction() as cursor:
        known = runs.read_sync(cursor, sync.definition.name)
    return resolve_destination(sync, known).mapping


def ordered(sync: Sync) -> list[tuple[str, pa.Schema]]:
    """Exports that are ready, with what is read of them."""
    mapping = _mapping(sync)
    exports = [(sync.sendgrid.order_export(), columns_of(mapping))]
    if mapping.list_id:
        exports.append((sync.sendgrid.order_export(mapping.list_id), pa.schema([EMAIL])))
    for export_id, _ in exports:
        while sync.sendgrid.export(export_id).status is not ExportStatus.READY:
            time.sleep(0.1)
    return exports


def download(sync: Sync, exports: list[tuple[str, pa.Schema]]) -> int:
    """Download and parse the exports; returns the rows of the first one."""
    rows = []
    for export_id, schema in exports:
        chunks = contact_chunks(sync, export_id, schema, Fetched())
        rows.append(sum(len(chunk) for chunk in ahead(chunks)))
    return rows[0]


def verify(sync: Sync) -> tuple[int, float]:
    """Verify; how many contacts were compared, and the seconds of waiting for the export."""
    waited, wait = [0.0], in_one_process._wait

    def timed(sync: Sync, verification_id: int, holder: str) -> None:
        began = time.perf_counter()
        wait(sync, verification_id, holder)
        waited[0] += time.perf_counter() - began

    in_one_process._wait = timed
    found = in_one_process.verify_sync(sync, holder="benchmark")
    if not found.is_equal:
        raise NotDoneError(f"The verification found differences: {found.counts}")
    return found.counts[Count.COMPARED], waited[0]


def main() -> None:
    """Do what the command line says."""
    sync = open_sync(read_target())
    with closing(sync.sendgrid), sync.state.keeping_connections():
        what, waited = sys.argv[1], 0.0
        exports = ordered(sync) if what == "download" else []
        began = time.perf_counter()
        if what == "read":
            rows = read(sync)
        elif what == "download":
            rows = download(sync, exports)
        else:
            rows, waited = verify(sync)
        answer(rows=rows, seconds=round(time.perf_counter() - began - waited, 3), waited=waited)


if __name__ == "__main__":
    main()
