"""Batches: what is being sent, and how far each has got. Their state is written in batch_moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from psycopg.types.json import Jsonb

from contact_sync.base.batch_life import BIRTH, OPEN
from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import BatchState, Ending, Lane
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import statements
from contact_sync.state.clocks import pull_back, went_back
from contact_sync.state.database import StateDatabase
from contact_sync.state.runs import Run

SQL = statements.load("batches")


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
    def is_open(self) -> bool:
        """Whether something still happens to it."""
        return self.state in OPEN


def count_taken_out(cursor: Cursor, batch_id: int, *, refused: int = 0, excluded: int = 0) -> None:
    """So many contacts have left the batch before SendGrid took it: refused by name, or excluded,
    changed or gone in B2CORE."""
    parameters = {"batch_id": batch_id, "refused": refused, "excluded": excluded}
    cursor.execute(SQL["count_taken_out"], parameters)


def has_begun_to_send(cursor: Cursor, run_id: int) -> bool:
    """Whether a batch of the run isn't as it was planned any more: then its plan may not change."""
    return bool(one(cursor, SQL["has_begun"], {"run_id": run_id, "planned": str(BIRTH)})["found"])


def begun_by(cursor: Cursor, name: str, holder: str) -> int | None:
    """The run of the sync `name` that this holder, and nobody since, has begun to send with."""
    rows = many(cursor, SQL["begun_by"], {"name": name, "holder": holder, "planned": str(BIRTH)})
    return int(rows[0]["run_id"]) if rows else None


def refuse_if_sent(cursor: Cursor, run_id: int) -> None:
    """Raise FatalError when a batch of the run has left: what was staged must stay as it is."""
    if has_begun_to_send(cursor, run_id):
        raise FatalError(
            f"Run {run_id:,} has begun to send; its clients can't be read again. Trigger a new run"
        )


def drop_plan(cursor: Cursor, run_id: int) -> None:
    """Forget the run's plan, its batches and the approval given to it: its clients are read again.

    Raises FatalError when a batch of the run has left.
    """
    refuse_if_sent(cursor, run_id)
    cursor.execute(SQL["drop_planned"], {"run_id": run_id})
    cursor.execute(SQL["forget_plan"], {"run_id": run_id})


def drop_staged_batches(cursor: Cursor, run_id: int) -> bool:
    """Drop a run's batches if none of them has been sent; False when some have."""
    if has_begun_to_send(cursor, run_id):
        return False
    cursor.execute(SQL["drop_planned"], {"run_id": run_id})
    return True


def create_batch(
    cursor: Cursor,
    run_id: int,
    sync_id: int,
    lane: Lane,
    contacts: int,
    *,
    ids: tuple[int, int] | None = None,
    json_only: bool | None = None,
    list_id: str | None = None,
) -> int:
    """Plan a batch: its contacts are what is staged of the range `ids`, or the removals that name
    it. `list_id`: the list that a batch of the lane UNLIST takes them off.
    """
    first_id, last_id = ids or (None, None)
    row = one(
        cursor,
        SQL["create_batch"],
        {
            "run_id": run_id,
            "sync_id": sync_id,
            "lane": str(lane),
            "contacts": contacts,
            "first_id": first_id,
            "last_id": last_id,
            "json_only": json_only,
            "list_id": list_id,
        },
    )
    return int(row["batch_id"])


def load_batch(state: StateDatabase, batch_id: int) -> Batch:
    """The batch's row; ages are in seconds by the database's clock.

    Raises FatalError when it doesn't exist any more.
    """
    with state.transaction() as cursor:
        rows = many(cursor, SQL["load"], {"batch_id": batch_id})
        if rows and went_back(rows[0]["submitted_seconds"], rows[0]["unknown_seconds"]):
            pull_back(cursor, rows[0]["sync_id"])
            rows = many(cursor, SQL["load"], {"batch_id": batch_id})
    if not rows:
        raise FatalError(
            f"Batch {batch_id} is gone: its run's clients were read again. Nothing of it was sent; "
            f"trigger a new run"
        )
    (row,) = rows
    return Batch(**{**row, "lane": Lane(row["lane"]), "state": BatchState(row["state"])})


def open_of_earlier_runs(state: StateDatabase, run: Run) -> list[int]:
    """The batches that other runs of the sync left open, oldest first."""
    with state.transaction() as cursor:
        parameters = {"sync_id": run.sync_id, "run_id": run.run_id}
        rows = many(cursor, SQL["open_of_earlier_runs"], parameters)
    return [row["batch_id"] for row in rows]


def open_batch_ids(cursor: Cursor, run_id: int, *, lanes: tuple[Lane, ...]) -> list[int]:
    """A run's planned batches in these lanes that are open, or a batch split from them is."""
    parameters = {"run_id": run_id, "lanes": [str(lane) for lane in lanes]}
    return [row["batch_id"] for row in many(cursor, SQL["open_roots"], parameters)]


def next_open(state: StateDatabase, root_id: int) -> int | None:
    """The first open batch of a planned one and those split from it."""
    with state.transaction() as cursor:
        row = one(cursor, SQL["next_open"], {"root_id": root_id})
    return cast("int | None", row["batch_id"])


def seconds_since_unknown(cursor: Cursor, sync_id: int) -> float | None:
    """Seconds since a request of this sync last left without a definite answer; None = never."""
    row = one(cursor, SQL["seconds_since_unknown"], {"sync_id": sync_id})
    if went_back(row["seconds"]):
        pull_back(cursor, sync_id)
        return 0.0
    return cast("float | None", row["seconds"])


def note_look(cursor: Cursor, batch_id: int, status: str) -> None:
    """SendGrid was asked for the batch's job, which isn't over and has this status."""
    cursor.execute(SQL["note_look"], {"batch_id": batch_id, "status": status})


def set_outcome(cursor: Cursor, batch_id: int, ending: Ending) -> None:
    """What became of a batch."""
    numbers = Jsonb(ending.numbers) if ending.numbers else None
    parameters = {"batch_id": batch_id, "outcome": ending.outcome, "numbers": numbers}
    cursor.execute(SQL["set_outcome"], parameters | {"detail": ending.detail})


def lose_contacts(cursor: Cursor, batch_id: int, contacts: int) -> None:
    """So many contacts of a removal have left the batch."""
    cursor.execute(SQL["lose_contacts"], {"batch_id": batch_id, "contacts": contacts})
