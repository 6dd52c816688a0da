"""A batch's life: its states, and who may move it from which to which, by what event.

`state/batch_moves.py` makes these moves and no others, each by the statement of its event's name;
the database's trigger `batch_move` refuses all others. docs/architecture.md draws the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contact_sync.base.vocabulary import REMOVALS, SENDING, UPSERTS, BatchState, Lane

STAGED, SUBMITTING, SUBMITTED = BatchState.STAGED, BatchState.SUBMITTING, BatchState.SUBMITTED
CREATED, UPLOADING = BatchState.CREATED, BatchState.UPLOADING
SETTLED, VOID = BatchState.SETTLED, BatchState.VOID
CALLS = (Lane.JSON, Lane.MOVE, *REMOVALS)
"""Lanes whose batch is one call: what it carries and what it asks for leave together."""
ALL = (*SENDING, *REMOVALS)


class Who(StrEnum):
    """Which run may make a move."""

    OWN = "its own run"
    LATER = "a later run"
    EITHER = "its own run or a later one"

    def allows(self, *, own: bool) -> bool:
        """Whether a run may make the move; `own`: the batch is of this run."""
        return self is Who.EITHER or own is (self is Who.OWN)


@dataclass(frozen=True, slots=True)
class Move:
    """One event of the table: it happens in these lanes, in one of the states `came_from`."""

    event: str
    came_from: tuple[BatchState, ...]
    to: BatchState
    lanes: tuple[Lane, ...]
    who: Who
    task: str
    meaning: str


BIRTH = STAGED
"""The state of every new batch."""

MOVES = (
    Move("announce", (STAGED, SUBMITTING), SUBMITTING, CALLS, Who.OWN, "send_batch",
         "stored before the call leaves: from now on its fate may be unknown"),
    Move("refused", (SUBMITTING,), STAGED, CALLS, Who.OWN, "send_batch",
         "a definite refusal of a first try: nothing is under way"),
    Move("accepted", (SUBMITTING,), SUBMITTED, CALLS, Who.OWN, "send_batch",
         "SendGrid's answer holds the job's id"),
    Move("created", (STAGED, CREATED), CREATED, (Lane.CSV,), Who.OWN, "send_batch",
         "an import exists; no byte of the file has left"),
    Move("created_again", (UPLOADING,), CREATED, (Lane.CSV,), Who.OWN, "send_batch",
         "the storage refused the file: another import takes the place of the first"),
    Move("uploading", (CREATED,), UPLOADING, (Lane.CSV,), Who.OWN, "send_batch",
         "stored before the file's first byte leaves: from now on its fate may be unknown"),
    Move("uploaded", (UPLOADING,), SUBMITTED, (Lane.CSV,), Who.OWN, "send_batch",
         "the storage has the whole file"),
    Move("settle_unsent", (STAGED, SUBMITTING, CREATED), SETTLED, ALL, Who.OWN, "send_batch",
         "nothing of it is left to send"),
    Move("settle", (SUBMITTING, UPLOADING, SUBMITTED), SETTLED, ALL, Who.EITHER,
         "send_batch, settle_earlier_runs",
         "its job is over, or isn't waited for any longer: each client's fate is in the ledger"),
    Move("void", (STAGED, CREATED), VOID, ALL, Who.LATER, "settle_earlier_runs",
         "dropped before a byte left: the next reading looks at its clients again"),
    Move("void_family", (STAGED,), VOID, UPSERTS, Who.OWN, "send_batch",
         "dropped with the others split from one planned batch: none of their jobs succeeds"),
)  # fmt: skip
LIFE = {move.event: move for move in MOVES}

OPEN = tuple(state for state in BatchState if any(state in move.came_from for move in MOVES))
"""States that a batch can leave; of the others the column `batch.is_open` is false."""
