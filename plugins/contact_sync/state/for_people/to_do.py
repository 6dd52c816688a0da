"""Read the clients with whom a person has something to do: by reason, in pages, and all of them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from contact_sync.base.vocabulary import MAX_REASONS
from contact_sync.postgres.cursor import Cursor, many, rows_as
from contact_sync.state import statements
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.reading import reading

SQL = statements.load("for_people/to_do")
CHUNK = 5_000
"""So many rows are held in memory at once."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of them; None = of every kind, field, reason. The `after_…` are the last row before."""

    sync_id: int
    what: str | None = None
    field: str | None = None
    reason: str | None = None
    detail: str | None = None
    after_id: int | None = None
    after_what: str = ""
    after_field: str = ""


@dataclass(frozen=True, slots=True)
class ClientToDo:
    """A client and one thing that is so of it: what (a ToDo), field, reason, since when; of a
    rejected one when that was last, and how often it was sent in vain; None = it has none."""

    client_id: int
    client_key: str | None
    what: str
    field: str | None
    reason: str | None
    detail: str | None
    since: datetime
    last: datetime | None
    tries: int | None


@dataclass(frozen=True, slots=True)
class ReasonToDo:
    """How many clients there are of one kind, field and reason; the oldest `since`, the most
    `tries`."""

    what: str
    field: str | None
    reason: str | None
    detail: str | None
    n: int
    since: datetime
    tries: int | None


def reasons(cursor: Cursor, sync_id: int) -> list[ReasonToDo]:
    """The most frequent ones first; at most MAX_REASONS of them."""
    parameters = {"sync_id": sync_id, "at_most": MAX_REASONS}
    return rows_as(ReasonToDo, cursor, SQL["reasons"], parameters)


def page_of_clients(cursor: Cursor, which: Filter, limit: int) -> list[ClientToDo]:
    """At most `limit` of them by client."""
    return rows_as(ClientToDo, cursor, SQL["clients"], asdict(which) | {"at_most": limit})


def all_clients(state: StateDatabase, which: Filter) -> Generator[list[ClientToDo], None, None]:
    """All of them by client, CHUNK at a time, each in a transaction of its own."""
    while True:
        with reading(state) as cursor:
            rows = page_of_clients(cursor, which, CHUNK)
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        last = rows[-1]
        which = replace(which, after_id=last.client_id, after_what=last.what,
                        after_field=last.field or "")  # fmt: skip


def history(cursor: Cursor, sync_id: int, client_ids: list[int]) -> dict[int, list[int]]:
    """The newest runs that have changed each client, as long as that is kept."""
    rows = many(cursor, SQL["history"], {"sync_id": sync_id, "client_ids": client_ids})
    return {row["client_id"]: row["run_ids"] for row in rows}
