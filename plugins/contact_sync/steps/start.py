"""Begin a run under the sync's lease, open it again in later steps, end it early."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import xxhash

from contact_sync.b2core import B2Core
from contact_sync.definition import SyncDefinition
from contact_sync.errors import ConfigError, FatalError, SyncDisabled
from contact_sync.failpoints import reach
from contact_sync.mapping import Mapping
from contact_sync.models import RunKind, RunState
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state import runs
from contact_sync.state.database import StateDatabase
from contact_sync.state.runs import Options, Run

log = logging.getLogger(__name__)
NO_OPTIONS = Options()


@dataclass(frozen=True, slots=True)
class Sync:
    """A definition with its handles: what every step works on."""

    definition: SyncDefinition
    b2core: B2Core
    state: StateDatabase
    sendgrid: SendGridApi


def begin_run(
    sync: Sync,
    kind: RunKind,
    *,
    holder: str,
    options: Options = NO_OPTIONS,
    take_over: bool = False,
) -> int:
    """Take the lease and create the run; returns its id. A dry run takes no lease.

    Raises SyncDisabled, LeaseBusy, or ConfigError when the state schema isn't there.
    """
    name = sync.definition.name
    if not sync.definition.enabled:
        raise SyncDisabled(
            f"Sync {name!r} is disabled and sends nothing: set `enabled: true` in its definition"
        )
    sync.state.check_schema()
    with sync.state.transaction() as cursor:
        known = runs.ensure_sync(cursor, name)
        epoch = known.epoch
        if not options.dry_run:
            epoch = runs.acquire_lease(cursor, known.sync_id, holder, take_over=take_over)
        run_id = runs.create_run(
            cursor,
            sync_id=known.sync_id,
            epoch=epoch,
            kind=kind,
            holder=holder,
            options=options,
            definition_hash=definition_hash(sync.definition),
        )
        reach("lease_taken_uncommitted")
    reach("run_started")
    log.info("Run %d of sync %r started: %s, %s", run_id, name, kind, options)
    return run_id


def definition_hash(definition: SyncDefinition) -> str:
    """Tells whether a definition was edited between two steps of a run; whom it alerts may be."""
    return xxhash.xxh3_64_hexdigest(definition.model_dump_json(exclude={"alerts"}).encode())


def open_run(sync: Sync, run_id: int) -> Run:
    """Load the run, prove that it may go on, and renew its lease.

    Raises FatalError when the run is over or the definition was edited since it began, and
    Fenced when a newer run has taken the lease.
    """
    run = runs.load_run(sync.state, run_id)
    if run.state is not RunState.RUNNING:
        raise FatalError(
            f"Run {run_id} is over ({run.state}); nothing is sent for it any more. "
            f"Trigger a new run: it continues from the same state"
        )
    if run.definition_hash != definition_hash(sync.definition):
        raise ConfigError(
            f"The definition of {sync.definition.name!r} was edited while run {run_id} was at "
            f"work. Trigger a new run: it uses the new definition"
        )
    runs.renew_lease(sync.state, run)
    return run


def mapping_of(run: Run) -> Mapping:
    """The mapping that preflight resolved for this run."""
    if run.destination is None:
        raise FatalError(f"Run {run.run_id} has not been checked yet: `check_setup` comes first")
    return Mapping.from_json(run.destination["mapping"])


def end_run(sync: Sync, run_id: int, cause: str) -> None:
    """Release the lease and mark a run that didn't finish as failed; harmless for others."""
    run = runs.load_run(sync.state, run_id)
    with sync.state.transaction() as cursor:
        if run.state is RunState.RUNNING:
            runs.finish_run(cursor, run, RunState.FAILED, result={}, cause=cause)
            log.warning("Run %d of sync %r failed: %s", run_id, run.sync_name, cause)
        if not run.dry_run:
            runs.release_lease(cursor, run)
