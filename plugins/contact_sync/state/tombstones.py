"""Tombstones: who was erased and must not come back, in this database as keyed hashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contact_sync.base.arrays import Int64
from contact_sync.base.erasure_steps import TombstoneKind
from contact_sync.contacts.tombstones import Tombstone
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements

SQL = statements.load("tombstones")


def in_force(cursor: Cursor, sync_name: str) -> list[Tombstone]:
    """Those that concern a sync: addresses of everybody, ids of its clients."""
    return [stone for stones in by_erasure(cursor, sync_name).values() for stone in stones]


def by_erasure(cursor: Cursor, sync_name: str) -> dict[str, list[Tombstone]]:
    """The same, by their erasures."""
    found: dict[str, list[Tombstone]] = {}
    for row in many(cursor, SQL["in_force"], {"sync_name": sync_name}):
        stone = Tombstone(TombstoneKind(row["kind"]), row["tag"], row["key_id"])
        found.setdefault(row["erasure_id"], []).append(stone)
    return found


def put_up(
    cursor: Cursor, erasure_id: str, sync_name: str | None, rows: Iterable[Mapping[str, object]]
) -> None:
    """Add tombstones (rows of `stones_of`); those that are there already stay. `sync_name`: whose
    clients they are, None = they are addresses."""
    for row in rows:
        cursor.execute(SQL["put_up"], {"erasure_id": erasure_id, "sync_name": sync_name, **row})


def put_up_here(cursor: Cursor, sync_name: str, clients: Int64, addresses: Int64) -> None:
    """Have the tombstones of clients of other syncs stand for the same ids here, if the address is
    erased by the same erasure; tags of each client and of its address."""
    parameters = {"sync_name": sync_name, "clients": clients.tolist(),
                  "addresses": addresses.tolist()}  # fmt: skip
    cursor.execute(SQL["put_up_here"], parameters)


def follow_rename(cursor: Cursor, sync_id: int, name: str) -> None:
    """A sync is about to get another name."""
    cursor.execute(SQL["follow_rename"], {"sync_id": sync_id, "name": name})


def of_erasure(cursor: Cursor, erasure_id: str) -> list[dict[str, Any]]:
    """The rows of one erasure."""
    return many(cursor, SQL["of_erasure"], {"erasure_id": erasure_id})


def erasures_of(cursor: Cursor, macs: list[bytes]) -> list[str]:
    """The erasures that have a tombstone with one of these HMACs."""
    return [row["erasure_id"] for row in many(cursor, SQL["with_macs"], {"macs": macs})]
