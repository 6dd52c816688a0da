"""The tables of lives name everything that writes a state, and the code keeps to them."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest

from contact_sync.base.address_life import KEPT_PLACE, STEPS
from contact_sync.base.batch_life import LIFE, MOVES, Who
from contact_sync.base.client_life import CHANGES, KEPT_FATE, PROMISES, Fate
from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import BatchState, Lane
from contact_sync.state import batch_moves, statements
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from tests.support.airflow_home import ROOT
from tests.support.state_statements import files

WRITES = r"(?:INSERT INTO|UPDATE|DELETE FROM) contact_sync\.{}\b"


def writers(table: str) -> set[str]:
    """The statements that write a table: "file.name"."""
    write = re.compile(WRITES.format(table))
    return {
        f"{file}.{name}"
        for file in files()
        for name, statement in statements.load(file).items()
        if write.search(statement)
    }


@pytest.mark.parametrize("table", ["batch", "ledger", "removal"])
def test_only_named_statements_write_what_has_a_life(table: str) -> None:
    """No Python file has one of its own."""
    write = re.compile(WRITES.format(table))
    places = (ROOT / "plugins").rglob("*.py")
    assert [path.name for path in places if write.search(path.read_text("utf-8"))] == []


def test_every_writer_of_a_fate_is_in_the_table() -> None:
    """And every one in the table exists."""
    assert writers("ledger") == {change.statement for change in CHANGES} | set(KEPT_FATE)


def test_every_writer_of_a_noted_address_is_in_the_table() -> None:
    """And every one in the table exists."""
    assert writers("removal") == {step.statement for step in STEPS} | set(KEPT_PLACE)


def test_a_batchs_state_is_written_by_its_moves_only() -> None:
    """Each event of the table has its statement, which takes the states from the table."""
    moves = {f"batch_moves.{event}" for event in LIFE}
    assert set(statements.load("batch_moves")) == set(LIFE)
    for name in writers("batch"):
        file, _, statement = name.partition(".")
        text = statements.load(file)[statement]
        assert ("state = %(to_state)s" in text) == (name in moves)
        assert ("state = any(%(came_from)s)" in text) == (name in moves)
        assert not re.search(r"SET\s+state|^\s+state = '", text) or name in moves


def test_every_state_and_fate_is_reached_and_left() -> None:
    """Save the two in which a batch ends."""
    ends = {BatchState.SETTLED, BatchState.VOID}
    assert {move.to for move in MOVES} == set(BatchState)
    assert {state for move in MOVES for state in move.came_from} == set(BatchState) - ends
    assert set(PROMISES) == set(Fate)
    assert {change.to for change in CHANGES} == {*Fate, None}


def move_by(event: str, lane: Lane, *, own: bool) -> None:
    """Have a run move a batch, its own or an earlier one's; nothing is asked of the database."""
    run = cast(Run, type("", (), {"run_id": 2})())
    row: dict[str, Any] = dict.fromkeys(Batch.__slots__)
    batch = Batch(**row | {"batch_id": 7, "run_id": 2 if own else 1, "lane": lane})
    batch_moves._execute(cast(Any, None), run, batch, event)


@pytest.mark.parametrize("event", LIFE)
def test_who_may_not_move_a_batch_is_refused(event: str) -> None:
    """Before anything is written: the wrong run, the wrong lane."""
    move = LIFE[event]
    if move.who is not Who.EITHER:
        with pytest.raises(FatalError, match=f"may not do this to batch 7 of run .*: {event}"):
            move_by(event, move.lanes[0], own=move.who is not Who.OWN)
    for lane in set(Lane) - set(move.lanes):
        with pytest.raises(FatalError, match=f"may not do this to batch 7 of run .*: {event}"):
            move_by(event, lane, own=move.who is not Who.LATER)
