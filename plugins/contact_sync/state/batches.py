"""Batches: what is being sent, and how far each has got."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, LiteralString, cast

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from contact_sync.errors import FatalError
from contact_sync.models import BatchState, Lane
from contact_sync.payloads import OutboxRow
from contact_sync.state.database import Cursor, StateDatabase, many, one, statement

WHAT = "The state database"
Int64 = npt.NDArray[np.int64]


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

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in (BatchState.SETTLED, BatchState.VOID)


def refuse_if_sent(cursor: Cursor, run_id: int) -> None:
    """Raise FatalError when a batch of the run has left: what was staged must stay as it is."""
    cursor.execute(
        "SELECT 1 FROM contact_sync.batch WHERE run_id = %s AND state <> 'staged' LIMIT 1",
        (run_id,),
    )
    if cursor.fetchone():
        raise FatalError(
            f"Run {run_id} has begun to send; its clients can't be read again. Trigger a new run"
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
           extract(epoch FROM now() - fate_unknown_at)::float AS unknown_seconds
    FROM contact_sync.batch
"""


def _batch(row: dict[str, Any]) -> Batch:
    return Batch(**{**row, "lane": Lane(row["lane"]), "state": BatchState(row["state"])})


def load_batch(state: StateDatabase, batch_id: int) -> Batch:
    """The batch's row; ages are in seconds by the database's clock."""
    with state.transaction() as cursor:
        return _batch(one(cursor, _BATCH + "WHERE batch_id = %s", (batch_id,)))


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
    """A run's batches in the given lanes that aren't terminal."""
    rows = many(
        cursor,
        """SELECT batch_id FROM contact_sync.batch
           WHERE run_id = %s AND lane = ANY(%s) AND state NOT IN ('settled', 'void')
           ORDER BY batch_id""",
        (run_id, [str(lane) for lane in lanes]),
    )
    return [row["batch_id"] for row in rows]


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
    **values: Any,
) -> bool:
    """Compare-and-set a batch's state, with other columns; False when it is elsewhere by now."""
    settings = [sql.SQL("state = {}").format(sql.Literal(str(to)))]
    for column, value in values.items():
        settings.append(sql.SQL("{} = {}").format(sql.Identifier(column), _value(value)))
    cursor.execute(
        sql.SQL("UPDATE contact_sync.batch SET {} WHERE batch_id = {} AND state = ANY({})").format(
            sql.SQL(", ").join(settings),
            sql.Literal(batch.batch_id),
            sql.Literal([str(state) for state in came_from]),
        )
    )
    return cursor.rowcount == 1


NOW = object()
"""Stands for the database's clock in `advance`."""


def _value(value: Any) -> sql.Composable:
    if value is NOW:
        return sql.SQL("now()")
    return sql.Literal(Jsonb(value) if isinstance(value, dict) else value)


def batch_contacts(cursor: Cursor, batch_id: int) -> list[dict[str, Any]]:
    """client_id, email, payload and clears of a JSON batch; at most 30 000 contacts, 3.9 MB."""
    return many(cursor, statement("batch_contacts"), {"batch_id": batch_id})


def outbox_rows(contacts: list[dict[str, Any]]) -> list[OutboxRow]:
    """The same as what `payloads` takes."""
    return [OutboxRow(row["email"], row["payload"], row["clears"]) for row in contacts]


def batch_csv(
    cursor: psycopg.Cursor[Any], batch_id: int, cells: list[str]
) -> Iterator[psycopg.abc.Buffer]:
    """The rows of a CSV batch as PostgreSQL renders them (RFC 4180, UTF-8), in blocks."""
    query = sql.SQL(
        """COPY (
            SELECT {} FROM (
                SELECT client_id, email, string_to_array(payload, E'\\x1f', '') AS v
                FROM contact_sync.batch_contact WHERE batch_id = {} ORDER BY client_id
            ) AS contact
        ) TO STDOUT (FORMAT csv)"""
    ).format(
        sql.SQL(", ".join(["email", *cells])),
        sql.Literal(batch_id),
    )
    with cursor.copy(query) as copy:
        yield from copy


def drop_staged_batches(cursor: Cursor, run_id: int) -> bool:
    """Drop a run's batches if none of them has been sent; False when some have."""
    row = one(
        cursor,
        "SELECT count(*) AS n FROM contact_sync.batch WHERE run_id = %s AND state <> 'staged'",
        (run_id,),
    )
    if row["n"]:
        return False
    cursor.execute("DELETE FROM contact_sync.batch WHERE run_id = %s", (run_id,))
    return True


def set_outcome(cursor: Cursor, batch_id: int, outcome: str) -> None:
    """What became of a batch, in words."""
    cursor.execute(
        "UPDATE contact_sync.batch SET outcome = %s WHERE batch_id = %s", (outcome, batch_id)
    )


def outcome(cursor: Cursor, batch_id: int) -> str | None:
    """What became of a batch."""
    row = one(cursor, "SELECT outcome FROM contact_sync.batch WHERE batch_id = %s", (batch_id,))
    return cast("str | None", row["outcome"])


def job_report(cursor: Cursor, run_id: int) -> list[dict[str, Any]]:
    """A run's batches for its report; no address, no URL."""
    return many(
        cursor,
        """SELECT batch_id, lane, contacts AS rows, state, job_id, job_status AS status, outcome,
                  extract(epoch FROM settled_at - submitted_at)::float AS seconds
           FROM contact_sync.batch WHERE run_id = %s ORDER BY batch_id""",
        (run_id,),
    )
