"""Batches: what is being sent, and how far each has got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, cast

from psycopg import sql
from psycopg.types.json import Jsonb

from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import BatchState, Lane
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state.database import StateDatabase


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch's row."""

    batch_id: int
    run_id: int
    sync_id: int
    lane: Lane
    state: BatchState
    contacts: int
    job_id: str | None
    submitted_seconds: float | None
    unknown_seconds: float | None
    list_id: str | None
    root_id: int | None
    tries: int

    @property
    def root(self) -> int:
        """The planned batch that it is, or was split from."""
        return self.root_id or self.batch_id

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in (BatchState.SETTLED, BatchState.VOID)


def has_begun_to_send(cursor: Cursor, run_id: int) -> bool:
    """Whether a batch of the run is no longer staged: then nothing of its plan may change."""
    row = one(
        cursor,
        """SELECT EXISTS (
               SELECT FROM contact_sync.batch WHERE run_id = %s AND state <> 'staged'
           ) AS has_begun""",
        (run_id,),
    )
    return bool(row["has_begun"])


def refuse_if_sent(cursor: Cursor, run_id: int) -> None:
    """Raise FatalError when a batch of the run has left: what was staged must stay as it is."""
    if has_begun_to_send(cursor, run_id):
        raise FatalError(
            f"Run {run_id} has begun to send; its clients can't be read again. Trigger a new run"
        )


def drop_plan(cursor: Cursor, run_id: int) -> None:
    """Forget the run's plan, its batches and the approval given to it: its clients are read anew.

    Raises FatalError when a batch of the run has left.
    """
    refuse_if_sent(cursor, run_id)
    cursor.execute("DELETE FROM contact_sync.batch WHERE run_id = %s", (run_id,))
    cursor.execute(
        """UPDATE contact_sync.run SET plan = NULL,
               approval = CASE WHEN approval ? 'why' THEN NULL ELSE approval END
           WHERE run_id = %s AND plan IS NOT NULL""",
        (run_id,),
    )


def create_batch(
    cursor: Cursor,
    run_id: int,
    sync_id: int,
    lane: Lane,
    contacts: int,
    *,
    first_id: int | None = None,
    last_id: int | None = None,
    json_only: bool | None = None,
) -> int:
    """Insert a staged batch; its contacts are the outbox rows of the id range."""
    row = one(
        cursor,
        """INSERT INTO contact_sync.batch
               (run_id, sync_id, lane, contacts, first_id, last_id, json_only)
           VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING batch_id""",
        (run_id, sync_id, lane, contacts, first_id, last_id, json_only),
    )
    return int(row["batch_id"])


_BATCH: LiteralString = """
    SELECT batch_id, run_id, sync_id, lane, state, contacts, job_id,
           extract(epoch FROM now() - submitted_at)::float AS submitted_seconds,
           extract(epoch FROM now() - fate_unknown_at)::float AS unknown_seconds,
           list_id, root_id, tries
    FROM contact_sync.batch
"""


def _batch(row: dict[str, Any]) -> Batch:
    return Batch(**{**row, "lane": Lane(row["lane"]), "state": BatchState(row["state"])})


def load_batch(state: StateDatabase, batch_id: int) -> Batch:
    """The batch's row; ages are in seconds by the database's clock.

    Raises FatalError when it doesn't exist any more.
    """
    with state.transaction() as cursor:
        rows = many(cursor, _BATCH + "WHERE batch_id = %s", (batch_id,))
    if not rows:
        raise FatalError(
            f"Batch {batch_id} is gone: its run's clients were read again. Nothing of it was sent; "
            f"trigger a new run"
        )
    return _batch(rows[0])


def open_batches(state: StateDatabase, sync_id: int) -> list[Batch]:
    """All batches of a sync that aren't terminal, oldest first."""
    with state.transaction() as cursor:
        rows = many(
            cursor,
            _BATCH + "WHERE sync_id = %s AND state NOT IN ('settled', 'void') ORDER BY batch_id",
            (sync_id,),
        )
    return [_batch(row) for row in rows]


def open_batch_ids(cursor: Cursor, run_id: int, *, lanes: tuple[Lane, ...]) -> list[int]:
    """A run's planned batches in these lanes that are open, or a batch split from them is."""
    rows = many(
        cursor,
        """SELECT DISTINCT coalesce(root_id, batch_id) AS batch_id FROM contact_sync.batch
           WHERE run_id = %s AND lane = ANY(%s) AND state NOT IN ('settled', 'void')
           ORDER BY batch_id""",
        (run_id, [str(lane) for lane in lanes]),
    )
    return [row["batch_id"] for row in rows]


def next_open(state: StateDatabase, root_id: int) -> int | None:
    """The first batch that isn't terminal among a planned one and those split from it."""
    with state.transaction() as cursor:
        row = one(
            cursor,
            """SELECT min(batch_id) AS batch_id FROM contact_sync.batch
               WHERE (batch_id = %s OR root_id = %s) AND state NOT IN ('settled', 'void')""",
            (root_id, root_id),
        )
    return cast("int | None", row["batch_id"])


def seconds_since(cursor: Cursor, moment: str) -> float:
    """Seconds since an ISO 8601 moment, by the database's clock."""
    row = one(cursor, "SELECT extract(epoch FROM now() - %s::timestamptz)::float AS s", (moment,))
    return float(row["s"])


def seconds_since_unknown(cursor: Cursor, sync_id: int) -> float | None:
    """Seconds since a request of this sync last left without a definite answer."""
    row = one(
        cursor,
        """SELECT extract(epoch FROM now() - max(fate_unknown_at))::float AS seconds
           FROM contact_sync.batch WHERE sync_id = %s""",
        (sync_id,),
    )
    return cast("float | None", row["seconds"])


def advance(
    cursor: Cursor,
    batch: Batch,
    to: BatchState,
    *,
    came_from: tuple[BatchState, ...],
    expect: Mapping[str, Any] | None = None,
    **values: Any,
) -> datetime | None:
    """Compare-and-set a batch's state, with other columns; None when it is elsewhere by now.

    `expect` are values that columns must still have: two tries of one task have the same epoch, so
    that only what a try has stored itself tells it from the other. Returns `submitted_at`, or the
    moment of this write where nothing has been submitted.
    """
    settings = [sql.SQL("state = {}").format(sql.Literal(str(to)))]
    for column, value in values.items():
        settings.append(sql.SQL("{} = {}").format(sql.Identifier(column), _value(value)))
    unchanged = [
        sql.SQL("AND {} IS NOT DISTINCT FROM {}").format(sql.Identifier(column), sql.Literal(value))
        for column, value in (expect or {}).items()
    ]
    cursor.execute(
        sql.SQL(
            """UPDATE contact_sync.batch SET {} WHERE batch_id = {} AND state = ANY({}) {}
               RETURNING coalesce(submitted_at, clock_timestamp()) AS at"""
        ).format(
            sql.SQL(", ").join(settings),
            sql.Literal(batch.batch_id),
            sql.Literal([str(state) for state in came_from]),
            sql.SQL(" ").join(unchanged),
        )
    )
    row = cursor.fetchone()
    return row["at"] if row else None


NOW, SUBMITTED_AT = object(), object()
"""Stand in `advance` for the database's clock, and for the moment when the batch was announced."""


def _value(value: Any) -> sql.Composable:
    if value is NOW:
        return sql.SQL("clock_timestamp()")
    if value is SUBMITTED_AT:
        return sql.SQL("submitted_at")
    return sql.Literal(Jsonb(value) if isinstance(value, dict) else value)


def drop_staged_batches(cursor: Cursor, run_id: int) -> bool:
    """Drop a run's batches if none of them has been sent; False when some have."""
    if has_begun_to_send(cursor, run_id):
        return False
    cursor.execute("DELETE FROM contact_sync.batch WHERE run_id = %s", (run_id,))
    return True


def set_outcome(cursor: Cursor, batch_id: int, outcome: str) -> None:
    """What became of a batch, in words."""
    cursor.execute(
        "UPDATE contact_sync.batch SET outcome = %s WHERE batch_id = %s", (outcome, batch_id)
    )
