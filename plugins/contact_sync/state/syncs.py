"""A sync gets another name: its ledger, runs and watermark stay its own."""

from __future__ import annotations

from typing import Any

from contact_sync.base.errors import ConfigError, LeaseBusy
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements

SQL = statements.load("syncs")


def rename_sync(cursor: Cursor, old: str, new: str) -> None:
    """Let the sync called `old` be called `new` from now on.

    A sync of the new name that knows no client yet gets the old name in exchange. Raises
    ConfigError when there is no sync `old`, or `new` has clients of its own; LeaseBusy while one of
    them runs.
    """
    found = {name: _locked(cursor, name) for name in sorted((old, new))}
    renamed, present = found[old], found[new]
    if renamed is None:
        names = [row["name"] for row in many(cursor, SQL["sync_names"])]
        raise ConfigError(
            f"The state database knows no sync {old!r}, only {', '.join(names) or 'none at all'}"
        )
    if present and present["has_clients"]:
        raise ConfigError(
            f"The sync {new!r} has run already and knows clients of its own, so {old!r} can't get "
            f"its name. Give the definition a name that has not run yet, or its old one again"
        )
    if present:
        _rename(cursor, present["sync_id"], f"{new} (unused)")
    _rename(cursor, renamed["sync_id"], new)
    if present:
        _rename(cursor, present["sync_id"], old)


def _locked(cursor: Cursor, name: str) -> dict[str, Any] | None:
    rows = many(cursor, SQL["lock_sync"], {"name": name})
    if not rows:
        return None
    if rows[0]["is_taken"]:
        raise LeaseBusy(
            f"{rows[0]['lease_holder']} is at work on the sync {name!r}: wait for its end"
        )
    return rows[0]


def _rename(cursor: Cursor, sync_id: int, name: str) -> None:
    cursor.execute(SQL["rename_sync"], {"sync_id": sync_id, "name": name})
