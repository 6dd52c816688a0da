"""Staged clients whose address has changed, and what is known of the former one."""

from __future__ import annotations

from contact_sync.base.vocabulary import PendingReason
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements

SQL = statements.load("suppressions")


def moved_clients(cursor: Cursor, sync_id: int, run_id: int) -> dict[int, str]:
    """Client id → its former address, for staged clients that get another one.

    A client that shared its address with another one has no contact of its own: its former address
    is then that of the other client's contact.
    """
    rows = many(cursor, SQL["moved_clients"], {"sync_id": sync_id, "run_id": run_id})
    shared = [row["email_hash"] for row in rows if row["email"] is None]
    others = _addresses(cursor, sync_id, shared) if shared else {}
    former = {row["client_id"]: row["email"] or others.get(row["email_hash"]) for row in rows}
    return {client: email for client, email in former.items() if email is not None}


def _addresses(cursor: Cursor, sync_id: int, hashes: list[int]) -> dict[int, str]:
    """Hash → address of a contact; one scan of the ledger."""
    parameters = {"sync_id": sync_id, "contact_hashes": hashes}
    rows = many(cursor, SQL["addresses_of_hashes"], parameters)
    return {row["contact_hash"]: row["email"] for row in rows}


EVERYWHERE = 0
"""Stands for the global unsubscribe among the ids of groups."""


def mark(cursor: Cursor, run_id: int, groups: dict[int, set[int]]) -> None:
    """The new addresses of these clients, and of no others, have to be suppressed before they are
    uploaded; client id → groups."""
    cursor.execute(SQL["unmark"], {"run_id": run_id})
    pairs = [(client, group) for client, ids in groups.items() for group in sorted(ids)]
    if pairs:
        parameters = {"run_id": run_id, "client_ids": [client for client, _ in pairs],
                      "group_ids": [group for _, group in pairs]}  # fmt: skip
        cursor.execute(SQL["mark"], parameters)


def hold(cursor: Cursor, sync_id: int, run_id: int, client_ids: list[int]) -> None:
    """Take clients out of the outbox; they are pending and looked at again by the next run.

    Nobody is taken out of a batch that has left.
    """
    parameters = {"sync_id": sync_id, "run_id": run_id, "client_ids": client_ids,
                  "reason": PendingReason.SUPPRESSION_UNKNOWN}  # fmt: skip
    cursor.execute(SQL["hold"], parameters)
