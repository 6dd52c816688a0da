"""Read what the state database knows of single clients, for people; a run reads nothing here."""

from __future__ import annotations

from typing import Any

from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements

SQL = statements.load("for_people/client")
MAX_FOUND = 100
"""So many clients of one address are listed."""


def look_at_client(cursor: Cursor, sync_id: int, client_id: int) -> dict[str, Any] | None:
    """The ledger's row with the batch that sent the client last; None = not in the ledger."""
    parameters = {"sync_id": sync_id, "client_id": client_id}
    rows = many(cursor, SQL["client"], parameters)
    return rows[0] if rows else None


def staged(cursor: Cursor, sync_id: int, client_id: int) -> list[dict[str, Any]]:
    """Where the client waits to be sent: run and open batch."""
    parameters = {"sync_id": sync_id, "client_id": client_id}
    return many(cursor, SQL["staged"], parameters)


def noted_removals(
    cursor: Cursor, sync_id: int, client_id: int, hashes: tuple[int, int]
) -> list[dict[str, Any]]:
    """Contacts noted for removal, of the client or of the addresses with these two hashes."""
    parameters = {"sync_id": sync_id, "client_id": client_id,
                  "email_hash": hashes[0], "contact_hash": hashes[1]}  # fmt: skip
    return many(cursor, SQL["noted_removals"], parameters)


def clients_of_address(cursor: Cursor, sync_id: int, email_hash: int) -> list[dict[str, Any]]:
    """Clients that had an address when the sync last looked, or whose contact has it: client_id,
    state, has_contact. At most MAX_FOUND; one scan of the ledger."""
    parameters = {"sync_id": sync_id, "email_hash": email_hash, "at_most": MAX_FOUND}
    return many(cursor, SQL["clients_of_address"], parameters)


def stale_clients(cursor: Cursor, sync_id: int, limit: int) -> list[dict[str, Any]]:
    """Clients that hold values at SendGrid which B2CORE emptied and nobody can clear: client_id,
    and `fields`, the names of those fields."""
    return many(cursor, SQL["stale_clients"], {"sync_id": sync_id, "at_most": limit})
