"""The transaction in which people's questions are answered: read only, one moment, soon over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from contact_sync.postgres.cursor import Cursor
from contact_sync.state import statements
from contact_sync.state.database import StateDatabase, check_version

SQL = statements.load("for_people/reading")
READ_ONLY = SQL["read_only"]
PAGE_SECONDS = 5
"""A person waits for the answer: a statement that takes longer is given up."""


@contextmanager
def reading(state: StateDatabase) -> Iterator[Cursor]:
    """One read-only transaction that sees one moment.

    Raises as StateDatabase.transaction does, and ConfigError unless the migrations have run.
    """
    with state.transaction() as cursor:
        cursor.execute(SQL["one_moment"])
        cursor.execute(READ_ONLY)
        cursor.execute(SQL["give_up_after"], {"seconds": f"{PAGE_SECONDS}s"})
        check_version(cursor)
        yield cursor
