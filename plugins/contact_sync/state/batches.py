"""Batches: what is being sent, and how far each has got."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, LiteralString, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from psycopg import sql
from psycopg.types.json import Jsonb

from contact_sync import arrow_reader
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
           extract(epoch FROM now() - fate_unknown_at)::float AS unknown_seconds,
           list_id, root_id, tries
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


def count_contacts(cursor: Cursor, batch_id: int) -> int:
    """How many contacts the batch has now; some may have been taken out since it was planned."""
    row = one(
        cursor,
        "SELECT count(*) AS n FROM contact_sync.batch_contact WHERE batch_id = %s",
        (batch_id,),
    )
    return int(row["n"])


def addresses_among(cursor: Cursor, batch_id: int, emails: Collection[str]) -> set[str]:
    """Those of the addresses that are in the batch."""
    rows = many(
        cursor,
        "SELECT email FROM contact_sync.batch_contact WHERE batch_id = %s AND email = ANY(%s)",
        (batch_id, list(emails)),
    )
    return {row["email"] for row in rows}


def addresses_to_suppress(cursor: Cursor, batch_id: int) -> dict[int, str]:
    """Client id → address of the contacts that must be suppressed before they are uploaded."""
    rows = many(
        cursor,
        """SELECT client_id, email FROM contact_sync.batch_contact
           WHERE batch_id = %s AND suppress ORDER BY client_id""",
        (batch_id,),
    )
    return {row["client_id"]: row["email"] for row in rows}


def address_hashes(state: StateDatabase, batch_id: int) -> tuple[Int64, Int64]:
    """Client ids and address hashes of a batch; 16 bytes a contact."""
    query = f"""SELECT client_id, email_hash FROM contact_sync.batch_contact
                WHERE batch_id = {batch_id:d}"""  # noqa: S608 an integer
    with arrow_reader.connect(state.dsn, WHAT) as connection:
        table = arrow_reader.table(connection, query, WHAT)
    return (
        np.asarray(table.column("client_id"), np.int64),
        np.asarray(table.column("email_hash"), np.int64),
    )


def contact_sample(cursor: Cursor, batch_id: int, size: int) -> list[dict[str, Any]]:
    """About `size` contacts, evenly spread over the batch; columns as batch_contacts."""
    return many(
        cursor,
        """SELECT client_id, email, payload, clears FROM (
               SELECT *, row_number() OVER (ORDER BY client_id) AS n, count(*) OVER () AS total
               FROM contact_sync.batch_contact WHERE batch_id = %s
           ) AS contact WHERE n %% greatest(1, total / %s) = 0""",
        (batch_id, size),
    )


def batch_bounds(cursor: Cursor, batch_id: int) -> dict[str, Any]:
    """run_id, sync_id, first_id, last_id and json_only: which outbox rows are the batch's.

    The planner sees through constants what the view batch_contact hides from it: how many.
    """
    return one(
        cursor,
        """SELECT run_id, sync_id, first_id, last_id, json_only FROM contact_sync.batch
           WHERE batch_id = %s""",
        (batch_id,),
    )


def batch_blocks(state: StateDatabase, batch_id: int) -> Iterator[tuple[pa.Array, pa.Array]]:
    """Addresses and payloads of a CSV batch by client id, in blocks of bounded size."""
    with state.transaction() as cursor:
        bounds = batch_bounds(cursor, batch_id)
    flagged = "" if bounds["json_only"] is None else f"AND json_only = {bounds['json_only']}"
    query = f"""SELECT email, payload FROM contact_sync.outbox
                WHERE run_id = {bounds["run_id"]:d} {flagged}
                    AND client_id BETWEEN {bounds["first_id"]:d} AND {bounds["last_id"]:d}
                ORDER BY client_id"""  # noqa: S608 integers and a boolean
    with arrow_reader.connect(state.dsn, WHAT) as connection:
        for block in arrow_reader.record_batches(connection, query, WHAT):
            yield block.column("email"), block.column("payload")


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


def job_report(cursor: Cursor, run_id: int) -> list[dict[str, Any]]:
    """A run's batches for its report; no address, no URL."""
    return many(
        cursor,
        """SELECT batch_id, lane, contacts AS rows, state, job_id, job_status AS status, outcome,
                  extract(epoch FROM settled_at - submitted_at)::float AS seconds
           FROM contact_sync.batch WHERE run_id = %s ORDER BY batch_id""",
        (run_id,),
    )
