"""Begin a run under the sync's lease."""

from __future__ import annotations

import logging
import secrets

import numpy as np

from contact_sync.base.errors import ConfigError, SyncDisabled
from contact_sync.base.failpoints import reach
from contact_sync.base.marks import Mark, Phase
from contact_sync.base.numbers import count
from contact_sync.base.run_life import ENDED, KindReason, kind_reason
from contact_sync.base.vocabulary import RunKind
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.apply_hash_keys import apply_hash_keys, configured_keys, new_keys_wait
from contact_sync.run.context import definition_hash
from contact_sync.run.continue_erasures import known_erasures
from contact_sync.run.outer_mark import leave_mark, read_mark
from contact_sync.state import batches, identity, leases, runs
from contact_sync.state.clocks import pull_back
from contact_sync.state.identity import Known
from contact_sync.state.runs import Evidence, Options
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def start_run(
    sync: Sync,
    kind: RunKind,
    *,
    holder: str,
    options: Options | None = None,
    take_over: bool = False,
) -> int:
    """Take the lease and create the run; returns its id. A dry run takes no lease.

    If the state database went back since the last run, the run is one that believes nothing of it.

    Raises SyncDisabled, LeaseBusy, or ConfigError when the state schema isn't there, a hash key is
    missing, or the state database went back to before the sync was renamed.
    """
    name, options = sync.definition.name, options or Options()
    if not sync.definition.enabled:
        raise SyncDisabled(
            f"Sync {name!r} is disabled and sends nothing: set `enabled: true` in its definition"
        )
    if sync.definition.shadow and not options.dry_run:
        raise SyncDisabled(
            f"Sync {name!r} is a shadow and sends nothing: `python -m contact_sync verify {name}` "
            f"compares; `shadow: false` in its definition lets it send"
        )
    sync.state.check_schema()
    keys = configured_keys(sync)
    _refuse_erased(sync, options.only or ())
    mark, place, token = (
        read_mark(sync),
        sync.marks.place if sync.marks else None,
        secrets.token_hex(8),
    )
    _pulled_back(sync)
    with sync.state.transaction() as cursor:
        known = runs.ensure_sync(cursor, name)
        lease = None
        if not options.dry_run:
            lease = leases.acquire_lease(cursor, known.sync_id, holder, take_over=take_over)
            apply_hash_keys(cursor, known.sync_id, keys)
        else:
            new_keys_wait(cursor, keys)
        erased = known_erasures(cursor, name, mark)
        found = identity.look(cursor, known.sync_id, mark, place)
        _refuse_undone_rename(name, found, mark)
        unproven = _doubts(cursor, known.sync_id, found, mark, noted=not options.dry_run)
        if not options.dry_run:
            identity.write(cursor, known.sync_id, found)
        run_id = runs.create_run(
            cursor,
            sync_id=known.sync_id,
            epoch=lease.epoch if lease else known.epoch,
            kind=kind,
            holder=holder,
            options=options,
            definition_hash=definition_hash(sync.definition),
            evidence=Evidence(unproven, token, None if options.dry_run else place),
        )
        if lease:
            for older in leases.end_older_runs(cursor, known.sync_id, run_id, lease.why):
                log.warning("Run %d ends run %d, because %s", run_id, older, ENDED[lease.why])
        reach("lease_taken_uncommitted")
    reach("run_started")
    if not options.dry_run:
        leave_mark(
            sync,
            Mark(found.life, run_id, token, Phase.BEGUN, erased),
        )
    log.info("Run %d of sync %r started: %s%s", run_id, name, kind, _asked(options))
    return run_id


def begun_by(sync: Sync, holder: str) -> int | None:
    """The run that an earlier try of this holder has begun to send with, and that isn't over: a new
    run would have to wait until what it sent can't take effect any more."""
    sync.state.check_schema()
    with sync.state.transaction() as cursor:
        return batches.begun_by(cursor, sync.definition.name, holder)


def _refuse_erased(sync: Sync, ids: tuple[int, ...]) -> None:
    """No row is made of a run that would keep their ids. Raises ConfigError, which names nobody."""
    if not ids or not (stones := sync.tombstones()):
        return
    erased = int(stones.cover(np.array(ids, np.int64), np.zeros(len(ids), np.int64)).sum())
    if erased:
        raise ConfigError(
            f"{erased:,} of {count(len(ids), 'chosen client')} "
            f"{'was' if erased == 1 else 'were'} erased on request, so that no run sends them: "
            f"leave them out. Nothing was sent"
        )


def refuse_busy(sync: Sync, holder: str) -> None:
    """Raise LeaseBusy while another holder is at work: before something is done for a run that
    can't begin yet."""
    sync.state.check_schema()
    sync_id = _pulled_back(sync)
    with sync.state.transaction() as cursor:
        leases.refuse_busy(cursor, sync_id, holder)


def _pulled_back(sync: Sync) -> int:
    """The sync's id, once nothing of it lies in the future: also when another run has the lease."""
    with sync.state.transaction() as cursor:
        sync_id = runs.ensure_sync(cursor, sync.definition.name).sync_id
        pull_back(cursor, sync_id)
    return sync_id


def _refuse_undone_rename(name: str, found: Known, mark: Mark | None) -> None:
    """Under a name that nobody knows, the run would be a first load, which removes nothing of what
    the sync knows under its former name."""
    if (former := identity.undone_rename(found, mark)) is not None:
        raise ConfigError(
            f"The state database went back to before the sync {former!r} was renamed {name!r}: run "
            f"`python -m contact_sync rename {former} {name}`, then this again. Nothing was sent"
        )


def _doubts(
    cursor: Cursor, sync_id: int, found: Known, mark: Mark | None, *, noted: bool
) -> KindReason | None:
    """Why the ledger isn't believed, by this look or an earlier one; `noted`: to be kept."""
    if (why := identity.doubt_of(found, mark)) is not None:
        if noted:
            identity.doubt(cursor, sync_id, why, mark)
    elif found.unproven is not None:
        why = KindReason(found.unproven)
    if why is not None:
        log.warning("All clients are sent and looked up again: %s", kind_reason(why))
    return why


def _asked(options: Options) -> str:
    """What a person asked for, each after a comma; "" = nothing."""
    asked = (
        (options.reason, f"reason given: {options.reason}"),
        (options.dry_run, "dry run"),
        (options.retry_rejected, "rejected clients are sent again"),
        (options.approve_removals, f"the removal of {options.approve_removals or 0:,} is approved"),
        (options.approve, "its plan is approved"),
        (options.only, f"chosen clients: {len(options.only or ()):,}"),
    )
    return "".join(f", {said}" for is_asked, said in asked if is_asked)
