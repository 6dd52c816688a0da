"""Which changes of a run a URL asks for, and whose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException

from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.state.for_people import client as known_clients
from contact_sync.state.for_people.changes import Filter
from contact_sync.state.for_people.runs import run_of_id
from contact_sync.state.for_people.syncs import SyncRow, sync_row


@dataclass(frozen=True, slots=True)
class Only:
    """Which changes a URL asks for; "" = any. `client`: a key or an id."""

    kind: str = ""
    field: str = ""
    reason: str = ""
    state: str = ""
    client: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The same as a query."""
        every = {"kind": self.kind, "field": self.field, "reason": self.reason,
                 "state": self.state, "client": self.client}  # fmt: skip
        return {name: value for name, value in every.items() if value}


@dataclass(frozen=True, slots=True)
class After:
    """The last row of the page before; None = this is the first page."""

    after_id: int | None = None
    after_kind: str = ""
    after_field: str = ""


OnlyDep = Annotated[Only, Depends()]
AfterDep = Annotated[After, Depends()]


def run_and_sync(cursor: Cursor, name: str, run_id: int) -> tuple[ShownRun, SyncRow]:
    """The run and its sync. Answers 404 when there is no such run."""
    run, row = run_of_id(cursor, name, run_id), sync_row(cursor, name)
    if run is None or row is None:
        raise HTTPException(404, f"The sync {name!r} has no run {run_id:,}.")
    return run, row


def filter_of(cursor: Cursor, row: SyncRow, run_id: int, only: Only, after: After) -> Filter:
    """The same for the state database."""
    ids = None
    if only.client:
        from contact_sync.lookup.client_keys import id_of

        spellings = [only.client, only.client.lower()]
        ids = tuple(known_clients.clients_of_key(cursor, row.sync_id, spellings))
        ids += tuple(id_of(only.client))
    bit = row.fields.index(only.field) if only.field in row.fields else None
    return Filter(
        run_id, only.kind or None, only.field or None, bit, only.reason or None,
        only.state or None, ids, after.after_id, after.after_kind, after.after_field,
    )  # fmt: skip
