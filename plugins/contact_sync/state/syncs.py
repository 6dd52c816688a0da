"""All syncs of a state database: those without a definition, another name for one, its end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contact_sync.base.errors import ConfigError, LeaseBusy
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import client_keys, statements, tombstones

SQL = statements.load("syncs")


@dataclass(frozen=True, slots=True)
class KnownSync:
    """A sync that has run, with a definition or without one.

    `clients` in its ledger; `contacts`: those of them with a contact that is known. `holder`: who
    is at work, None = nobody. `last_run_at`: when the newest run began; None = none did.
    """

    name: str
    clients: int
    contacts: int
    runs: int
    last_run_at: datetime | None
    holder: str | None


@dataclass(frozen=True, slots=True)
class Policies:
    """What a sync does with contacts that have to go: reasons (codes) for which it deletes them,
    and for which it takes them off its list `here` (None = it has none)."""

    here: str | None
    deletes: Collection[str]
    unlists: Collection[str]


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a state database has of a sync: numbers of clients, contacts, contacts that no other
    sync has, contacts that are to be removed, runs, and batches whose outcome isn't known."""

    clients: int
    contacts: int
    alone: int
    removals: int
    runs: int
    open: int


def known_syncs(cursor: Cursor) -> list[KnownSync]:
    """Every sync of the state database, by name."""
    return [KnownSync(**row) for row in many(cursor, SQL["known"], {})]


def undefined(cursor: Cursor, defined: Collection[str]) -> list[str]:
    """The names of syncs that are none of the `defined` ones, by name."""
    rows = many(cursor, SQL["undefined"], {"defined": list(defined)})
    return [row["name"] for row in rows]


def forsaken(
    cursor: Cursor, defined: Collection[str], list_id: str | None, key_mark: str
) -> dict[str, int]:
    """Contacts by sync, of those that are none of the `defined` ones and fill the list `list_id`
    or, if that is None, the account of the key without a list."""
    parameters = {"defined": list(defined), "list_id": list_id, "key_mark": key_mark}
    return {row["name"]: row["contacts"] for row in many(cursor, SQL["forsaken"], parameters)}


def restraints(
    cursor: Cursor, sync_id: int, defined: Collection[str], policies: Policies
) -> dict[str, int]:
    """How many contacts a sync can't remove as its definition says, only because a sync without a
    definition has them, by that sync's name."""
    if not undefined(cursor, defined):
        return {}
    parameters = {
        "sync_id": sync_id, "defined": list(defined), "here": policies.here,
        "deletes": list(policies.deletes), "unlists": list(policies.unlists),
    }  # fmt: skip
    return {row["name"]: row["n"] for row in many(cursor, SQL["restraints"], parameters)}


def belongings(cursor: Cursor, name: str) -> Belongings:
    """What there is of the sync, which stays locked until the transaction ends.

    Raises ConfigError when there is no such sync, LeaseBusy while it runs.
    """
    sync_id = _existing(cursor, name)
    return Belongings(**one(cursor, SQL["belongings"], {"sync_id": sync_id}))


def forget_sync(cursor: Cursor, name: str) -> int:
    """Delete all that is known of a sync; returns how many contacts other syncs remove again.

    Those are contacts that stayed, off the others' lists, because this sync had them. Raises as
    `belongings` does.
    """
    parameters = {"sync_id": _existing(cursor, name)}
    cursor.execute(SQL["reopen_removals"], parameters)
    reopened = cursor.rowcount
    client_keys.forget_all(cursor, parameters["sync_id"])
    for statement in (
        SQL["note_unfinished_erasures"],
        SQL["forget_erasures"],
        SQL["forget_ledger"],
        SQL["forget_removals"],
        SQL["forget_moves"],
        SQL["forget_refused_values"],
        SQL["forget_dropped_values"],
        SQL["forget_identity"],
        SQL["forget_verifications"],
        SQL["forget_suppressions"],
        SQL["forget_suppression_readings"],
        SQL["forget_suppressions_due"],
        SQL["forget_outbox"],
        SQL["forget_batches"],
        SQL["forget_runs"],
        SQL["forget_sync"],
    ):
        cursor.execute(statement, parameters)
    return reopened


def rename_sync(cursor: Cursor, old: str, new: str) -> None:
    """Let the sync called `old` be called `new` from now on.

    A sync of the new name that knows no client yet gets the old name in exchange. Raises
    ConfigError when there is no sync `old`, or `new` has clients of its own; LeaseBusy while one of
    them runs.
    """
    found = {name: _locked(cursor, name) for name in sorted((old, new))}
    renamed, present = found[old], found[new]
    if renamed is None:
        raise _no_sync(cursor, old)
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
    _refuse_at_work(rows[0], name)
    return rows[0]


def _existing(cursor: Cursor, name: str) -> int:
    """The id of a sync that nobody works for; it is locked."""
    rows = many(cursor, SQL["lock_named"], {"name": name})
    if not rows:
        raise _no_sync(cursor, name)
    _refuse_at_work(rows[0], name)
    return int(rows[0]["sync_id"])


def _refuse_at_work(row: dict[str, Any], name: str) -> None:
    if row["is_taken"]:
        raise LeaseBusy(f"{row['lease_holder']} is at work on the sync {name!r}: wait for its end")


def _no_sync(cursor: Cursor, name: str) -> ConfigError:
    names = [row["name"] for row in many(cursor, SQL["sync_names"])]
    return ConfigError(
        f"The state database knows no sync {name!r}, only {', '.join(names) or 'none at all'}"
    )


def _rename(cursor: Cursor, sync_id: int, name: str) -> None:
    tombstones.follow_rename(cursor, sync_id, name)
    cursor.execute(SQL["rename_sync"], {"sync_id": sync_id, "name": name})
