"""Excluded clients whose address may have a contact that no run has sent: an older import's, or
that of a state database which is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import statements

SQL = statements.load("exclusions")


class Open(NamedTuple):
    """Numbers of addresses of excluded clients: `addresses` may still have a contact that has to
    go, `unsearchable` ones SendGrid doesn't search."""

    addresses: int
    unsearchable: int


def to_look_up(cursor: Cursor, sync_id: int, at_most: int) -> dict[int, int]:
    """Client id → hash of its address, for excluded clients that nobody has looked up yet."""
    rows = many(cursor, SQL["to_look_up"], {"sync_id": sync_id, "at_most": at_most})
    return {row["client_id"]: row["email_hash"] for row in rows}


def leave_former_lists(cursor: Cursor, sync_id: int, lists: Collection[str]) -> None:
    """Note the contacts of excluded clients that have to go for removal from these lists, too."""
    cursor.execute(SQL["leave_former_lists"], {"sync_id": sync_id, "lists": list(lists)})


def note_found(cursor: Cursor, sync_id: int, found: Mapping[str, tuple[int, int]]) -> None:
    """Note contacts for removal: address → its hash and a client's id."""
    for email, (email_hash, client_id) in found.items():
        parameters = {"sync_id": sync_id, "email": email}
        row = parameters | {"email_hash": email_hash, "client_id": client_id}
        cursor.execute(SQL["note_found"], row)


def see(cursor: Cursor, sync_id: int, hashes: Collection[int], *, off_list: bool) -> None:
    """Addresses of excluded clients, by hash, have no contact that would have to go; not
    `off_list`: SendGrid doesn't search them."""
    parameters = {"sync_id": sync_id, "email_hashes": list(hashes), "off_list": off_list}
    cursor.execute(SQL["see"], parameters)


def forget_looks(cursor: Cursor, sync_id: int) -> None:
    """Every excluded client is to be looked up again."""
    cursor.execute(SQL["forget_looks"], {"sync_id": sync_id})


def count_open(cursor: Cursor, sync_id: int) -> Open:
    """How many exclusions aren't carried out, as far as is known."""
    row = one(cursor, SQL["count_open"], {"sync_id": sync_id})
    return Open(int(row["n"]), int(row["unsearchable"]))
