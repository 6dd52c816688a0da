"""What a verification costs, beside what it can't do without: reading both sides.

`python -m benchmarks.verification read|download|verify`, the target on standard input. `read` is
one full read of B2CORE, `download` one download of the account's export, parsed; SendGrid's time to
write it isn't counted, here and in `verify`.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator

from benchmarks.measure import Measured, measure
from benchmarks.product import open_sync
from benchmarks.results import Figures, of_program, over
from benchmarks.scenarios import NotDoneError, Say, line
from benchmarks.target import answer, read_target
from benchmarks.world import World
from contact_sync.base.verdicts import Count, ExportStatus
from contact_sync.postgres.arrow_reader import ahead
from contact_sync.run.scan_clients import scan_clients
from contact_sync.sendgrid.export_files import contacts_of
from contact_sync.state import runs
from contact_sync.sync import Sync
from contact_sync.verify import in_one_process
from contact_sync.verify.begin_verification import resolve_destination

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
        key = "verify_s" if name == "verify" else f"verify_{name}_s"
        found[key] = sorted(m.answer["seconds"] for m in measured)[len(measured) // 2]
    found["verify_over_read"] = over(
        found["verify_s"], found["verify_read_s"] + found["verify_download_s"]
    )
    return found


def read(sync: Sync) -> int:
    """Read all addresses, and all mapped columns of all clients."""
    with sync.state.transaction() as cursor:
        known = runs.read_sync(cursor, sync.definition.name)
    mapping = resolve_destination(sync, known).mapping
    with sync.b2core.snapshot() as snapshot:
        ids = scan_clients(snapshot).client_id
        batches = snapshot.clients(mapping.columns, int(ids[0]), int(ids[-1]), None)
        return sum(batch.num_rows for batch in ahead(batches))


def ordered(sync: Sync) -> str:
    """An export that is ready."""
    export_id = sync.sendgrid.order_export()
    while sync.sendgrid.export(export_id).status is not ExportStatus.READY:
        time.sleep(0.1)
    return export_id


def download(sync: Sync, export_id: str) -> int:
    """Download and parse the export."""
    rows = 0
    for url in sync.sendgrid.export(export_id).urls:
        with sync.sendgrid.export_file(url) as pieces:
            last = deque(enumerate(contacts_of(pieces), 1), maxlen=1)
        rows += last[0][0] if last else 0
    return rows


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
    try:
        what, waited = sys.argv[1], 0.0
        export_id = ordered(sync) if what == "download" else ""
        began = time.perf_counter()
        if what == "read":
            rows = read(sync)
        elif what == "download":
            rows = download(sync, export_id)
        else:
            rows, waited = verify(sync)
        answer(rows=rows, seconds=round(time.perf_counter() - began - waited, 3), waited=waited)
    finally:
        sync.sendgrid.close()


if __name__ == "__main__":
    main()
