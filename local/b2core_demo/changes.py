"""Seven changes as a back office makes them, each in the table where B2CORE would make it."""

from __future__ import annotations

from pathlib import Path

import psycopg

CHANGES = Path(__file__).parent / "changes.sql"


def apply_demo_changes(url: str) -> list[str]:
    """Make one change of each kind, commit them together and return what was done, one line each.

    The lines name client ids, never addresses. May be called again: each call changes something.
    Raise ValueError when there are too few clients to change.
    """
    with psycopg.connect(url) as connection:
        connection.execute(CHANGES.read_bytes())
        done = connection.execute(
            "SELECT line FROM pg_temp.demo_changes ORDER BY number"
        ).fetchall()
        if len(done) != 7 or any(line is None for (line,) in done):
            raise ValueError(
                "The demo changes need at least 20 clients, some with two phones and an address. "
                "Nothing was changed. Generate clients first."
            )
    return [line for (line,) in done]
