"""Syncs, their lease, and runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from contact_sync.base.errors import Fenced, LeaseBusy
from contact_sync.base.vocabulary import RunKind, RunState
from contact_sync.postgres.cursor import Cursor, one
from contact_sync.state.database import StateDatabase

LEASE_MINUTES = 15
"""A lease that isn't renewed for so long is free; every step renews it, waits at least every 5."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """A sync's row: what has been read and with which mapping."""

    sync_id: int
    epoch: int
    watermark: dict[str, Any] | None
    mapping_version: str | None
    fields: list[str]
    full_age_hours: float | None
    destination: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asked a run for, besides its kind.

    `approve_removals`: remove exactly so many absent clients although that is above the limit.
    `approve`: send a plan above the limits without asking anybody.
    """

    reason: str | None = None
    dry_run: bool = False
    retry_rejected: bool = False
    approve_removals: int | None = None
    approve: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A run's row. `destination` and `snapshot` are set by preflight and select."""

    run_id: int
    sync_id: int
    sync_name: str
    epoch: int
    kind: RunKind
    dry_run: bool
    state: RunState
    definition_hash: str
    destination: dict[str, Any] | None
    snapshot: dict[str, Any] | None
    plan: dict[str, Any] | None
    retry_rejected: bool
    approve_removals: int | None
    approval: dict[str, Any] | None

    @property
    def fence(self) -> tuple[int, int] | None:
        """What every state write of this run checks; a dry run writes none."""
        return None if self.dry_run else (self.sync_id, self.epoch)


def ensure_sync(cursor: Cursor, name: str) -> SyncState:
    """The sync's row, made at its first run."""
    cursor.execute(
        "INSERT INTO contact_sync.sync (name) VALUES (%s) ON CONFLICT (name) DO NOTHING", (name,)
    )
    return read_sync(cursor, name)


def read_sync(cursor: Cursor, name: str) -> SyncState:
    """The sync's row."""
    row = one(
        cursor,
        """SELECT sync_id, epoch, watermark, mapping_version, fields, destination,
                  extract(epoch FROM now() - last_full_at)::float / 3600 AS full_age_hours
           FROM contact_sync.sync WHERE name = %s""",
        (name,),
    )
    return SyncState(**row)


def acquire_lease(cursor: Cursor, sync_id: int, holder: str, *, take_over: bool) -> int:
    """Take the lease and return the new epoch; every older run of the sync is fenced off.

    A holder may take its own lease again: an Airflow task that is retried. Raises LeaseBusy
    naming the holder while another one's lease is valid.
    """
    row = one(
        cursor,
        """SELECT lease_holder, lease_until, coalesce(lease_until > now(), FALSE) AS held
           FROM contact_sync.sync WHERE sync_id = %s FOR UPDATE""",
        (sync_id,),
    )
    if row["held"] and row["lease_holder"] != holder and not take_over:
        raise LeaseBusy(
            f"{row['lease_holder']} is at work on this sync (lease until "
            f"{row['lease_until']:%H:%M:%S} UTC); one run at a time"
        )
    cursor.execute(
        """UPDATE contact_sync.run SET state = 'superseded', finished_at = now()
           WHERE sync_id = %s AND state = 'running' AND NOT dry_run""",
        (sync_id,),
    )
    row = one(
        cursor,
        """UPDATE contact_sync.sync
           SET epoch = epoch + 1, lease_holder = %s, lease_until = now() + make_interval(mins => %s)
           WHERE sync_id = %s RETURNING epoch""",
        (holder, LEASE_MINUTES, sync_id),
    )
    return int(row["epoch"])


def renew_lease(state: StateDatabase, run: Run) -> None:
    """Prove that the run still holds the lease and extend it. Raises Fenced when it doesn't."""
    if run.dry_run:
        return
    with state.transaction() as cursor:
        cursor.execute(
            """UPDATE contact_sync.sync SET lease_until = now() + make_interval(mins => %s)
               WHERE sync_id = %s AND epoch = %s AND lease_holder IS NOT NULL""",
            (LEASE_MINUTES, run.sync_id, run.epoch),
        )
        if cursor.rowcount == 0:
            raise Fenced(f"Run {run.run_id} has lost its lease to a newer run and stops here")


def create_run(
    cursor: Cursor,
    *,
    sync_id: int,
    epoch: int,
    kind: RunKind,
    holder: str,
    options: Options,
    definition_hash: str,
) -> int:
    """Insert a running run and return its id."""
    row = one(
        cursor,
        """INSERT INTO contact_sync.run
               (sync_id, epoch, kind, dry_run, holder, reason, definition_hash, retry_rejected,
                approve_removals, approval)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING run_id""",
        (sync_id, epoch, kind, options.dry_run, holder, options.reason, definition_hash,
         options.retry_rejected, options.approve_removals,
         Jsonb({"decision": "approved", "by": holder}) if options.approve else None),
    )  # fmt: skip
    return int(row["run_id"])


def load_run(state: StateDatabase, run_id: int) -> Run:
    """The run's row."""
    with state.transaction() as cursor:
        row = one(
            cursor,
            """SELECT r.run_id, r.sync_id, s.name AS sync_name, r.epoch, r.kind, r.dry_run, r.state,
                      r.definition_hash, r.destination, r.snapshot, r.plan, r.retry_rejected,
                      r.approve_removals, r.approval
               FROM contact_sync.run AS r JOIN contact_sync.sync AS s USING (sync_id)
               WHERE r.run_id = %s""",
            (run_id,),
        )
    return Run(**{**row, "kind": RunKind(row["kind"]), "state": RunState(row["state"])})


def save_destination(cursor: Cursor, run_id: int, destination: dict[str, Any]) -> None:
    """Store what preflight resolved: mapping with ids, list id, column types."""
    cursor.execute(
        "UPDATE contact_sync.run SET destination = %s WHERE run_id = %s",
        (Jsonb(destination), run_id),
    )


def save_fields(cursor: Cursor, sync_id: int, fields: list[str]) -> None:
    """Store the append-only field list that gives filled masks their meaning."""
    cursor.execute("UPDATE contact_sync.sync SET fields = %s WHERE sync_id = %s", (fields, sync_id))


def save_snapshot(
    cursor: Cursor, run_id: int, snapshot: dict[str, Any], kind: RunKind, why: str
) -> None:
    """Store the snapshot that the run reads, and the kind it has become, with the reason."""
    cursor.execute(
        "UPDATE contact_sync.run SET snapshot = %s, kind = %s, kind_reason = %s WHERE run_id = %s",
        (Jsonb(snapshot), kind, why, run_id),
    )


def save_plan(cursor: Cursor, run_id: int, plan: dict[str, Any]) -> None:
    """Store what the run is going to do."""
    cursor.execute("UPDATE contact_sync.run SET plan = %s WHERE run_id = %s", (Jsonb(plan), run_id))


def save_approval(cursor: Cursor, run_id: int, approval: dict[str, Any] | None) -> None:
    """Store why a run needs a person's approval, and later the decision."""
    value = None if approval is None else Jsonb(approval)
    cursor.execute("UPDATE contact_sync.run SET approval = %s WHERE run_id = %s", (value, run_id))


def finish_run(
    cursor: Cursor, run: Run, state: RunState, *, result: dict[str, Any], cause: str | None = None
) -> None:
    """End the run (once) and drop its scratch rows."""
    cursor.execute(
        """UPDATE contact_sync.run SET state = %s, result = %s, cause = coalesce(cause, %s),
                                       finished_at = now()
           WHERE run_id = %s AND state = 'running'""",
        (state, Jsonb(result), cause, run.run_id),
    )
    cursor.execute("DELETE FROM contact_sync.slice WHERE run_id = %s", (run.run_id,))


def advance_watermark(
    cursor: Cursor, run: Run, watermark: dict[str, Any], destination: dict[str, Any]
) -> None:
    """Move the watermark and remember list and fields; compare-and-set on the run's epoch.

    Raises Fenced when a newer run holds the lease.
    """
    cursor.execute(
        """UPDATE contact_sync.sync SET watermark = %s, mapping_version = %s, destination = %s,
               last_full_at = CASE WHEN %s THEN now() ELSE last_full_at END
           WHERE sync_id = %s AND epoch = %s""",
        (
            Jsonb(watermark),
            destination["version"],
            Jsonb(destination),
            run.kind is not RunKind.INCREMENTAL,
            run.sync_id,
            run.epoch,
        ),
    )
    if cursor.rowcount == 0:
        raise Fenced(f"Run {run.run_id} has lost its lease to a newer run: the watermark stays")


def release_lease(cursor: Cursor, run: Run) -> None:
    """Free the lease if this run still holds it."""
    cursor.execute(
        """UPDATE contact_sync.sync SET lease_holder = NULL, lease_until = NULL
           WHERE sync_id = %s AND epoch = %s""",
        (run.sync_id, run.epoch),
    )


def note_cause(state: StateDatabase, run_id: int, cause: str) -> None:
    """Keep the first cause of a run's failure for its report."""
    with state.transaction() as cursor:
        cursor.execute(
            """UPDATE contact_sync.run SET cause = coalesce(cause, %s)
               WHERE run_id = %s AND state = 'running'""",
            (cause, run_id),
        )
