"""The run that a task works for: opened again by each task, with its mapping."""

from __future__ import annotations

import logging
from functools import partial

import xxhash

from contact_sync.base.errors import ConfigError, FatalError, SyncError
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.vocabulary import RunState
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts.mapping import Mapping
from contact_sync.state import leases, runs
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def definition_hash(definition: SyncDefinition) -> str:
    """Tells whether a definition was edited between two steps of a run; whom it alerts
    may be, and for how long old things are kept."""
    apart = {"alerts", "retention"}
    return xxhash.xxh3_64_hexdigest(definition.model_dump_json(exclude=apart).encode())


def open_run(sync: Sync, run_id: int) -> Run:
    """Load the run, prove that it may go on, and renew its lease.

    Raises FatalError when the run is over or too old, or the definition was edited since it began,
    and Fenced when a newer run has taken the lease.
    """
    with sync.state.transaction() as cursor:
        run = runs.read_run(cursor, run_id)
        _refuse(sync, run)
        if not run.dry_run:
            leases.renew(cursor, run)
    sync.sendgrid.tell_waits(partial(_note_wait, sync, run_id))
    return run


def _refuse(sync: Sync, run: Run) -> None:
    run_id = run.run_id
    if run.state is not RunState.RUNNING:
        raise FatalError(
            f"Run {run_id:,} is over ({run.state}); nothing is sent for it any more. "
            f"Trigger a new run: it continues from the same state"
        )
    if run.definition_hash != definition_hash(sync.definition):
        raise ConfigError(
            f"The definition of {sync.definition.name!r} was edited while run {run_id:,} was at "
            f"work. Trigger a new run: it uses the new definition"
        )
    if run.age_hours > hours_allowed(sync.definition, run):
        raise FatalError(
            f"Run {run_id:,} has taken longer than its definition allows (`deadlines.run_hours`: "
            f"{sync.definition.deadlines.run_hours:g}) and ends here. Trigger a new run: it "
            f"continues from the same state"
        )


def _note_wait(sync: Sync, run_id: int, why: str, seconds: float) -> None:
    """For the run's page. The call that waits doesn't depend on it."""
    try:
        runs.note_wait(sync.state, run_id, why, seconds)
    except SyncError as error:
        log.warning("The page of run %d can't say that it waits: %s", run_id, error)


def hours_allowed(definition: SyncDefinition, run: Run) -> float:
    """How old a run may get; a person who is asked has the time for that on top."""
    asked = run.approval is not None and bool(run.approval.why)
    return definition.deadlines.run_hours + asked * definition.limits.approval_hours


def mapping_of(run: Run) -> Mapping:
    """The mapping that check_setup resolved for this run."""
    if run.destination is None:
        raise FatalError(f"Run {run.run_id:,} has not been checked yet: `check_setup` comes first")
    return run.destination.mapping


def snapshot_of(run: Run) -> SourceSnapshot:
    """When the run read B2CORE, and how many clients it found there."""
    if run.snapshot is None:
        raise FatalError(
            f"Run {run.run_id:,} has not read B2CORE yet: `select_clients` comes first"
        )
    return run.snapshot
