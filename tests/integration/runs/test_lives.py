"""What the tables of lives don't have, neither the code nor the database does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import psycopg
import pytest

from contact_sync.base.batch_life import MOVES, OPEN
from contact_sync.base.client_life import PROMISES, Fate
from contact_sync.base.vocabulary import BatchState
from local.postgres.server import Cluster

ALLOWED = {(start, move.to) for move in MOVES for start in move.came_from}
MOVED = """UPDATE contact_sync.batch SET state = %(state)s, job_id = 'j', submitted_at = now(),
               fate_unknown_at = now(), settled_at = CASE WHEN %(over)s THEN now() END"""
CLEARED = ", job_id = NULL, submitted_at = NULL, fate_unknown_at = NULL"
VALUES = {
    "email": "ann@example.com", "contact_hash": 5, "row_hash": 7, "field": "email",
    "reason": "invalid", "rejected_since": "2026-01-01",
}  # fmt: skip
REASONS = {Fate.PENDING: "fate_unknown", Fate.EXCLUDED: "excluded_address"}
"""A reason that a fate other than rejected may have."""


@pytest.fixture
def database(cluster: Cluster, state_template: str) -> Iterator[psycopg.Connection]:
    """A migrated state database with a sync, a run and one batch; nothing of it stays."""
    with psycopg.connect(cluster.url(state_template)) as connection:
        connection.execute("INSERT INTO contact_sync.sync (name) VALUES ('lives')")
        connection.execute(
            """INSERT INTO contact_sync.run (sync_id, epoch, kind, holder, definition_hash)
               SELECT sync_id, 1, 'full', 'test', '' FROM contact_sync.sync"""
        )
        yield connection
        connection.rollback()


def move(database: psycopg.Connection, to: BatchState) -> None:
    """As a statement by hand would, with all that the state needs."""
    statement = MOVED
    if to is BatchState.STAGED:
        statement = "UPDATE contact_sync.batch SET state = %(state)s, settled_at = NULL" + CLEARED
    database.execute(statement, {"state": str(to), "over": to not in OPEN})


def way_to(state: BatchState, allowed: set[tuple[BatchState, BatchState]]) -> list[BatchState]:
    """States on a way from a new batch to this one."""
    ways = [[BatchState.STAGED]]
    for way in ways:
        if way[-1] is state:
            return way
        ways += [[*way, end] for start, end in allowed if start is way[-1] and end not in way]
    raise AssertionError(f"no batch comes to {state}")


@pytest.mark.parametrize(("start", "end"), [*product(BatchState, BatchState)])
def test_a_batch_moves_as_the_table_says_and_not_otherwise(
    database: psycopg.Connection, start: BatchState, end: BatchState
) -> None:
    """Whoever writes: all pairs of states."""
    database.execute(
        """INSERT INTO contact_sync.batch (run_id, sync_id, lane, contacts)
           SELECT run_id, sync_id, 'json', 1 FROM contact_sync.run"""
    )
    for step in way_to(start, ALLOWED)[1:]:
        move(database, step)
    if (start, end) in ALLOWED:
        move(database, end)
        is_open = database.execute("SELECT is_open FROM contact_sync.batch").fetchone()
        assert is_open == (end in OPEN,)
    else:
        with pytest.raises(psycopg.errors.CheckViolation, match=f"from {start} to {end}"):
            move(database, end)


def insert(database: psycopg.Connection, fate: Fate, columns: set[str]) -> None:
    """A row of the ledger that has exactly these of the columns, and an address of B2CORE."""
    values = {name: value for name, value in VALUES.items() if name in columns}
    if "reason" in values:
        values["reason"] = REASONS.get(fate, values["reason"])
    names = "".join(f", {name}" for name in values)
    given = "".join(f", %({name})s" for name in values)
    database.execute(
        f"""INSERT INTO contact_sync.ledger (sync_id, client_id, state, email_hash{names})
            SELECT sync_id, 1, %(fate)s, 5{given} FROM contact_sync.sync""",
        values | {"fate": fate.word},
    )


WRONG = [
    (fate, column)
    for fate, promise in PROMISES.items()
    for column in (*promise.has, *promise.lacks)
    if column not in ("email", "contact_hash")
]


@pytest.mark.parametrize("fate", Fate)
def test_the_ledger_takes_a_client_as_its_fate_promises(
    database: psycopg.Connection, fate: Fate
) -> None:
    """With what it has at least, and without what it lacks at most."""
    promise = PROMISES[fate]
    insert(database, fate, set(promise.has))
    database.execute("DELETE FROM contact_sync.ledger")
    insert(database, fate, VALUES.keys() - set(promise.lacks))


@pytest.mark.parametrize(("fate", "column"), WRONG)
def test_the_ledger_refuses_a_client_that_breaks_the_promise(
    database: psycopg.Connection, fate: Fate, column: str
) -> None:
    """One column too few or too many."""
    with pytest.raises(psycopg.errors.CheckViolation, match="ledger_fate"):
        insert(database, fate, set(PROMISES[fate].has) ^ {column})


@pytest.mark.parametrize("fate", Fate)
@pytest.mark.parametrize("column", ["email", "contact_hash"])
def test_an_address_and_its_hash_go_together(
    database: psycopg.Connection, fate: Fate, column: str
) -> None:
    """In every fate."""
    others = set(PROMISES[fate].has) - {"email", "contact_hash"}
    with pytest.raises(psycopg.errors.CheckViolation, match="ledger_fate"):
        insert(database, fate, others | {column})


def test_who_is_represented_has_no_contact(database: psycopg.Connection) -> None:
    """Another client's contact stands for both."""
    with pytest.raises(psycopg.errors.CheckViolation, match="ledger_fate"):
        insert(database, Fate.SHARED, {"email", "contact_hash"})


def test_a_confirmed_client_without_a_contact_looks_moved(database: psycopg.Connection) -> None:
    """Its address was taken over: it may stay confirmed, if the next run looks at it again."""
    released = "UPDATE contact_sync.ledger SET email = NULL, contact_hash = NULL, row_hash = NULL"
    insert(database, Fate.CONFIRMED, set(PROMISES[Fate.CONFIRMED].has))
    database.execute(released + ", email_hash = 0")
    database.execute("DELETE FROM contact_sync.ledger")
    insert(database, Fate.CONFIRMED, set(PROMISES[Fate.CONFIRMED].has))
    with pytest.raises(psycopg.errors.CheckViolation, match="ledger_fate"):
        database.execute(released)


def test_there_is_no_other_fate(database: psycopg.Connection) -> None:
    """Nor a misspelt one."""
    with pytest.raises(psycopg.errors.CheckViolation, match="ledger_fate"):
        database.execute(
            """INSERT INTO contact_sync.ledger (sync_id, client_id, state, email_hash)
               SELECT sync_id, 1, 'confirmd', 5 FROM contact_sync.sync"""
        )
