"""Read what the state database knows of single clients, for people; a run reads nothing here."""

from __future__ import annotations

from typing import Any

from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state.database import statement

MAX_FOUND = 100
"""So many clients of one address are listed."""


def look_at_client(cursor: Cursor, sync_id: int, client_id: int) -> dict[str, Any] | None:
    """The ledger's row with the batch that sent the client last; None = not in the ledger."""
    parameters = {"sync_id": sync_id, "client_id": client_id}
    rows = many(cursor, statement("look_up_client"), parameters)
    return rows[0] if rows else None


def staged(cursor: Cursor, sync_id: int, client_id: int) -> list[dict[str, Any]]:
    """Where the client waits to be sent: run and open batch."""
    parameters = {"sync_id": sync_id, "client_id": client_id}
    return many(cursor, statement("look_up_staged"), parameters)


def noted_removals(
    cursor: Cursor, sync_id: int, client_id: int, hashes: tuple[int, int]
) -> list[dict[str, Any]]:
    """Contacts noted for removal, of the client or of the addresses with these two hashes."""
    parameters = {"sync_id": sync_id, "client_id": client_id,
                  "email_hash": hashes[0], "contact_hash": hashes[1]}  # fmt: skip
    return many(cursor, statement("look_up_removals"), parameters)


def clients_of_address(cursor: Cursor, sync_id: int, email_hash: int) -> list[dict[str, Any]]:
    """Clients that had an address when the sync last looked, or whose contact has it: client_id,
    state, has_contact. At most MAX_FOUND.

    One scan of the ledger: an index on the hashes would slow every first load.
    """
    return many(
        cursor,
        """SELECT client_id, state, coalesce(contact_hash = %(hash)s, FALSE) AS has_contact
           FROM contact_sync.ledger
           WHERE sync_id = %(sync_id)s AND (email_hash = %(hash)s OR contact_hash = %(hash)s)
           ORDER BY client_id LIMIT %(limit)s""",
        {"sync_id": sync_id, "hash": email_hash, "limit": MAX_FOUND},
    )


def stale_clients(cursor: Cursor, sync_id: int, limit: int) -> list[dict[str, Any]]:
    """Clients that hold values at SendGrid which B2CORE emptied and nobody can clear: client_id,
    and `fields`, the names of those fields."""
    return many(
        cursor,
        """SELECT l.client_id, array_agg(f.name ORDER BY f.position) AS fields
           FROM contact_sync.ledger AS l
           JOIN contact_sync.sync AS s USING (sync_id)
           CROSS JOIN LATERAL unnest(s.fields) WITH ORDINALITY AS f (name, position)
           WHERE l.sync_id = %s AND l.stale <> 0 AND (l.stale >> (f.position - 1)::int) & 1 = 1
           GROUP BY l.client_id ORDER BY l.client_id LIMIT %s""",
        (sync_id, limit),
    )
