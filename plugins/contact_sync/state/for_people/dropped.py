"""Read the values that SendGrid lacks, or has cut or rounded, for people: in pages, and all of
them piece by piece. Ids, fields and reasons; the values themselves are nowhere in the state
database.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from contact_sync.base.vocabulary import MAX_REASONS
from contact_sync.postgres.cursor import Cursor, rows_as
from contact_sync.state import statements
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.rejected import ReasonCount

SQL = statements.load("for_people/dropped")
CHUNK = 5_000
"""So many values are held in memory at once."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dropped values of a sync: those after client `after` and its field `after_field`.

    None = of every field, for every reason.
    """

    sync_id: int
    field: str | None = None
    reason: str | None = None
    after: int | None = None
    after_field: str = ""


@dataclass(frozen=True, slots=True)
class DroppedValue:
    """A client's value that is left out, cut or rounded: of which field, why, and since when."""

    client_id: int
    client_key: str | None
    field: str
    reason: str
    since: datetime


def count_reasons(cursor: Cursor, sync_id: int) -> list[ReasonCount]:
    """The fields and reasons, most frequent first; at most MAX_REASONS of them."""
    parameters = {"sync_id": sync_id, "at_most": MAX_REASONS}
    return rows_as(ReasonCount, cursor, SQL["count_dropped_reasons"], parameters)


def page_of_values(cursor: Cursor, which: Filter, limit: int) -> list[DroppedValue]:
    """At most `limit` of them by client and field; by index, wherever the page begins."""
    return rows_as(DroppedValue, cursor, SQL["dropped_values"], _parameters(which, limit))


def all_values(state: StateDatabase, which: Filter) -> Generator[list[DroppedValue], None, None]:
    """All of them by client and field, CHUNK at a time, each in a transaction of its own: nothing
    is held open while whoever takes them stalls. What changes meanwhile may be in it or not."""
    while True:
        with reading(state) as cursor:
            values = page_of_values(cursor, which, CHUNK)
        if values:
            yield values
        if len(values) < CHUNK:
            return
        last = values[-1]
        which = replace(which, after=last.client_id, after_field=last.field)


def values_of_client(cursor: Cursor, sync_id: int, client_id: int) -> dict[str, DroppedValue]:
    """Those of one client, by field."""
    parameters = {"sync_id": sync_id, "client_id": client_id}
    found = rows_as(DroppedValue, cursor, SQL["dropped_of_client"], parameters)
    return {value.field: value for value in found}


def _parameters(which: Filter, limit: int) -> dict[str, Any]:
    return asdict(which) | {"at_most": limit}
