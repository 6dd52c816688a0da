"""Delete what no run needs any more, in transactions that are over at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import statements
from contact_sync.state.database import StateDatabase

SQL = statements.load("pruning")
AT_ONCE = 1_000
"""Rows of a transaction: what it locks, it locks for milliseconds."""
FOUND_AT_ONCE = 50_000
"""Keys that are looked for before they are deleted: to find batches, the ledger is read."""


@dataclass(frozen=True, slots=True)
class Prunable:
    """A kind of old things; `name` is its key of the definition's `retention`."""

    name: str
    due: LiteralString
    delete: LiteralString


PRUNABLE = (
    Prunable("findings", SQL["due_findings"], SQL["delete_findings"]),
    Prunable("verifications", SQL["due_verifications"], SQL["delete_verifications"]),
    Prunable("reports", SQL["due_reports"], SQL["delete_reports"]),
    Prunable("changes", SQL["due_changes"], SQL["delete_changes"]),
    Prunable("batches", SQL["due_batches"], SQL["delete_batches"]),
    Prunable("runs", SQL["due_runs"], SQL["delete_runs"]),
    Prunable("kept_removals", SQL["due_kept_removals"], SQL["delete_kept_removals"]),
    Prunable("lifted_suppressions", SQL["due_lifted_suppressions"],
             SQL["delete_lifted_suppressions"]),
    Prunable("dropped_values", SQL["due_dropped_values"], SQL["delete_dropped_values"]),
)  # fmt: skip
"""All kinds, in this order: runs only go when their batches are gone."""


def is_believed(cursor: Cursor, sync_id: int) -> bool:
    """Whether the sync's ledger is believed; nothing is deleted while it isn't."""
    return bool(one(cursor, SQL["is_believed"], {"sync_id": sync_id})["found"])


def count(state: StateDatabase, sync_id: int, ages: Mapping[str, int | None]) -> dict[str, int]:
    """How many of each kind `prune` would delete, without deleting any; `ages` in days by name."""
    found: dict[str, int] = {}
    batches: list[int] = []
    with state.transaction() as cursor:
        for what in PRUNABLE:
            if (days := ages[what.name]) is not None:
                rows = _due(cursor, sync_id, what, days, at_most=None, without=batches)
                found[what.name] = len(rows)
                if what.name == "batches":
                    batches = [row["batch_id"] for row in rows]
    return found


def prune(state: StateDatabase, sync_id: int, what: Prunable, days: int) -> Iterator[int]:
    """Delete all that are due, AT_ONCE in a transaction; gives how many, after each one. Killed
    anywhere, what is left is due still."""
    deleted = 0
    while True:
        with state.transaction() as cursor:
            found = _due(cursor, sync_id, what, days, at_most=FOUND_AT_ONCE)
        before = deleted
        for start in range(0, len(found), AT_ONCE):
            part = found[start : start + AT_ONCE]
            keys = {key: [row[key] for row in part] for key in part[0]}
            with state.transaction() as cursor:
                cursor.execute(what.delete, {"sync_id": sync_id, **keys})
                some = cursor.rowcount
            deleted += some
            yield some
        if len(found) < FOUND_AT_ONCE or deleted == before:
            return


def _due(
    cursor: Cursor, sync_id: int, what: Prunable, days: int, *,
    at_most: int | None, without: Sequence[int] = (),
) -> list[dict[str, Any]]:  # fmt: skip
    parameters = {"sync_id": sync_id, "days": days, "at_most": at_most, "without": list(without)}
    return many(cursor, what.due, parameters)
