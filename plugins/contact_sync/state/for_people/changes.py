"""Read what a run changes, client by client, for people: in pages, and all of it piece by piece."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import NamedTuple

from contact_sync.base.changes import KINDS, ChangeKind
from contact_sync.contacts.mapping import Mapping
from contact_sync.postgres.cursor import Cursor, many, rows_as
from contact_sync.reporting.change_lines import Change
from contact_sync.state import outbox_blocks, statements
from contact_sync.state.changes import StagedChange
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.reading import reading
from contact_sync.state.runs import with_objects

SQL = statements.load("for_people/changes")
CHUNK = 5_000
"""So many rows are held in memory at once."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which changes of a run; None = of every kind, field, reason, fate and client.

    `name` and `bit` of one field. The `after_…` are the last row before the first one.
    """

    run_id: int
    kind: str | None = None
    name: str | None = None
    bit: int | None = None
    reason: str | None = None
    state: str | None = None
    client_ids: tuple[int, ...] | None = None
    after_id: int | None = None
    after_kind: str = ""
    after_field: str = ""


class KindCount(NamedTuple):
    """How many rows of a run are of a kind, for one reason."""

    kind: str
    reason: str | None
    n: int


def page_of_changes(cursor: Cursor, which: Filter, limit: int) -> list[Change]:
    """At most `limit` of them by kind and client; by index, wherever the page begins."""
    parameters = asdict(which) | {"at_most": limit}
    ids = which.client_ids
    parameters["client_ids"] = None if ids is None else list(ids)
    return rows_as(Change, cursor, SQL["changes"], parameters)


def all_changes(state: StateDatabase, which: Filter) -> Generator[list[Change], None, None]:
    """All of them by kind and client, CHUNK at a time, each in a transaction of its own."""
    while True:
        with reading(state) as cursor:
            rows = page_of_changes(cursor, which, CHUNK)
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        which = after(which, rows[-1])


def after(which: Filter, last: Change) -> Filter:
    """The same from the row after `last`."""
    return dataclasses.replace(
        which, after_id=last.client_id, after_kind=last.kind, after_field=last.field
    )


def count_kinds(cursor: Cursor, run_id: int) -> list[KindCount]:
    """How many rows are kept of a run, by kind and reason, the most frequent first."""
    return [KindCount(**row) for row in many(cursor, SQL["count_kinds"], {"run_id": run_id})]


def samples(cursor: Cursor, run_id: int, at_most: int) -> dict[str, list[Change]]:
    """The first rows of each kind, by kind in the order of KINDS; of changed clients those that
    were compared."""
    kinds = [kind for kind in KINDS if kind != ChangeKind.CLEARED]
    parameters = {"run_id": run_id, "kinds": kinds, "at_most": at_most}
    rows = many(cursor, SQL["samples"], parameters)
    chosen = {(row["kind"], row["client_id"]) for row in rows}
    ids = tuple({client for _, client in chosen})
    which = Filter(run_id, client_ids=ids)
    found = page_of_changes(cursor, which, len(KINDS) * len(ids)) if ids else []
    by_kind = {
        kind: [row for row in found if row.kind == kind and (kind, row.client_id) in chosen]
        for kind in KINDS
    }
    return {kind: rows for kind, rows in by_kind.items() if rows}


def mapping_of_run(cursor: Cursor, run_id: int) -> Mapping | None:
    """The fields that a run writes, as its check has found them."""
    for row in many(cursor, SQL["destination"], {"run_id": run_id}):
        found = with_objects(row)["destination"]
        return found.mapping if found else None
    return None


def staged(cursor: Cursor, run_id: int, client_ids: list[int]) -> dict[int, StagedChange]:
    """What is staged of these clients, as long as they wait to be sent."""
    rows = many(cursor, SQL["staged"], {"run_id": run_id, "client_ids": client_ids})
    found = {row["client_id"]: StagedChange(**row) for row in rows}
    for row in outbox_blocks.contacts_of(cursor, client_ids, "email", "payload", run_id=run_id):
        change = StagedChange(row["client_id"], row["email"], row["payload"], 0)
        found[change.client_id] = change
    return found
