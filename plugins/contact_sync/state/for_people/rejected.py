"""Read the rejected clients, for people: in pages by id, and all of them piece by piece."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from contact_sync.base.vocabulary import MAX_REASONS, Refusal, RefusalSum
from contact_sync.base.words import counted
from contact_sync.postgres.cursor import Cursor, rows_as
from contact_sync.state import statements
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.reading import reading

SQL = statements.load("for_people/rejected")
CHUNK = 5_000
"""So many clients are held in memory at once."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rejected clients of a sync; None = of every field, for every reason.

    `reason` may also be a RefusalSum: all whom SendGrid refused. `after`: with ids above this one.
    `since_before`: rejected first before this moment.
    """

    sync_id: int
    field: str | None = None
    reason: str | None = None
    after: int | None = None
    detail: str | None = None
    since_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class RejectedClient:
    """A client that can't be sent: which field, why, how often it was tried and since when.

    `email` is the address of the contact that it still has, None = none. It is personal data:
    mask it unless the viewer may see it.
    """

    client_id: int
    client_key: str | None
    field: str
    reason: str
    detail: str | None
    tries: int
    first_seen: datetime
    last_seen: datetime
    email: str | None = dataclasses.field(repr=False)

    @property
    def why(self) -> str:
        """As a run's report counts it."""
        return counted(self.field, self.reason, self.detail)


@dataclass(frozen=True, slots=True)
class ExampleClient:
    """A client that a run rejected, with what is known of it now; `email` as of RejectedClient."""

    client_id: int
    client_key: str | None
    email: str | None = dataclasses.field(repr=False)
    is_rejected: bool


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many clients are rejected, or values dropped, for one field and reason."""

    field: str
    reason: str
    n: int
    detail: str | None = None


def count_reasons(cursor: Cursor, sync_id: int) -> list[ReasonCount]:
    """The fields and reasons, most frequent first; at most MAX_REASONS of them."""
    parameters = {"sync_id": sync_id, "at_most": MAX_REASONS}
    return rows_as(ReasonCount, cursor, SQL["count_reasons"], parameters)


def page_of_clients(cursor: Cursor, which: Filter, limit: int) -> list[RejectedClient]:
    """At most `limit` of them by id; by index, wherever the page begins."""
    return rows_as(RejectedClient, cursor, SQL["rejected_clients"], _parameters(which, limit))


def example_clients(
    cursor: Cursor, sync_id: int, client_ids: list[int]
) -> dict[int, ExampleClient]:
    """Clients by their ids."""
    parameters = {"sync_id": sync_id, "client_ids": client_ids}
    found = rows_as(ExampleClient, cursor, SQL["example_clients"], parameters)
    return {client.client_id: client for client in found}


def all_clients(state: StateDatabase, which: Filter) -> Generator[list[RejectedClient], None, None]:
    """All of them by id, CHUNK at a time, each in a transaction of its own: nothing is held open
    while whoever takes them stalls. Who is rejected or sent meanwhile may be in it or not."""
    while True:
        with reading(state) as cursor:
            rows = page_of_clients(cursor, which, CHUNK)
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        which = dataclasses.replace(which, after=rows[-1].client_id)


def _parameters(which: Filter, limit: int) -> dict[str, Any]:
    is_sum = which.reason in tuple(RefusalSum)
    reasons = {"reason": None, "reasons": list(Refusal)} if is_sum else {"reasons": None}
    return asdict(which) | reasons | {"at_most": limit}
