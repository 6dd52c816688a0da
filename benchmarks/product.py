"""The product: one run of the package's own steps, from the lease to the report.

`python -m benchmarks.product KIND`, the target on standard input. `scan` only does what every run
has to: read all ids and addresses of B2CORE, and who changed. `cleared` is a full run whose SQL has
no last name any more: every contact has to be emptied of it, which only the JSON lane can.
"""
# ruff: noqa: E402

from __future__ import annotations

import gc
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from contact_sync.base.heap import share_and_bound_heap

gc.disable()  # until everything is imported, as `python -m contact_sync` does
share_and_bound_heap()

from benchmarks.busy import Busy
from benchmarks.target import Target, answer, read_target
from contact_sync.b2core.reader import B2Core
from contact_sync.base.command_line import own_holder
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import read_definition, source_folder
from contact_sync.config.tuning import Tuning
from contact_sync.contacts.hash_keys import HashKey, HashKeys
from contact_sync.reporting.run_report import run_report
from contact_sync.run import in_one_process
from contact_sync.run.scan_clients import changed_clients, scan_clients
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state import runs
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.runs import latest_runs
from contact_sync.state.runs import Options
from contact_sync.sync import Sync

SYNC = "demo"
STEPS = (
    "settle_earlier_runs", "check_setup", "select_clients", "stage_clients", "plan_batches",
    "remove_excluded", "send_batch", "find_removals", "finish_run",
)  # fmt: skip


def definition() -> SyncDefinition:
    """The demo's sync, tuned as a definition is that says nothing of it."""
    return read_definition(SYNC).model_copy(update={"tuning": Tuning()})


def open_sync(target: Target, folder: Path | None = None) -> Sync:
    """The handles that the steps need; `folder`: another SQL than the demo's."""
    sync = definition()
    folder = folder or source_folder(sync)
    source = B2Core(target.b2core_url, folder, sync.source.statement_timeout_seconds)
    api = SendGridApi(target.sendgrid_url, target.api_key)
    keys = HashKeys(HashKey("the key of the benchmark's hashes"))
    return Sync(sync, source, StateDatabase(target.state_url), api, hash_keys=lambda: keys)


def sql_without(column: str, folder: Path) -> Path:
    """A copy of the demo's SQL in `folder` that reads NULL in place of this column of clients."""
    made = shutil.copytree(source_folder(definition()), folder / "sql")
    path = made / "clients.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"clients.{column}::text", "NULL::text"), encoding="utf-8")
    return Path(made)


def run(sync: Sync, kind: RunKind) -> None:
    """Run, and answer with what became of the clients and what each step took."""
    busy = {name: Busy(time.perf_counter, time.process_time) for name in STEPS}
    for name in STEPS:
        setattr(in_one_process, name, timed(getattr(in_one_process, name), busy[name]))
    approved = Options(approve=True)
    run_id = in_one_process.run_sync(sync, kind, holder=own_holder(), options=approved)
    with sync.state.transaction() as cursor:
        (newest,) = latest_runs(cursor, [SYNC], 1)
    report = run_report(newest)
    if newest.id != run_id or report.state != "succeeded":
        raise RuntimeError(f"The run did not succeed: {report.state}, {report.cause}")
    answer(
        rows=report.books["selected"], sent=report.counts["sent"], books=report.books,
        seconds={name: step.seconds[0] for name, step in busy.items()},
        cpu_seconds={name: step.seconds[1] for name, step in busy.items()}, look=report.look,
        for_rows=sorted({"pandas", "phonenumbers", "pyarrow.compute"} & set(sys.modules)),
    )  # fmt: skip


def timed(step: Callable[..., Any], busy: Busy) -> Callable[..., Any]:
    """The step, with its seconds counted."""

    def measured(*args: Any, **options: Any) -> Any:
        with busy.at_work():
            return step(*args, **options)

    return measured


def scan(sync: Sync) -> None:
    """Read what tells who is there and who changed since the last run."""
    with sync.state.transaction() as cursor:
        mark = runs.read_sync(cursor, SYNC).watermark or SourceSnapshot()
    with sync.b2core.snapshot() as snapshot:
        rows = len(scan_clients(snapshot, sync.hashing()).client_id)
        changed = len(changed_clients(sync.definition, snapshot, mark))
    answer(rows=rows, changed=changed)


def main() -> None:
    """Do what the command line says."""
    gc.freeze()
    gc.enable()
    what = sys.argv[1]
    with tempfile.TemporaryDirectory() as made:
        cleared = sql_without("last_name", Path(made)) if what == "cleared" else None
        sync = open_sync(read_target(), cleared)
        # Kept, as the command line and Airflow's tasks do.
        with closing(sync.sendgrid), sync.state.keeping_connections():
            if what == "scan":
                scan(sync)
            else:
                run(sync, RunKind.FULL if cleared else RunKind(what))


if __name__ == "__main__":
    main()
