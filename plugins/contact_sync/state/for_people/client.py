"""Read what the state database knows of single clients, for people; a run reads nothing here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state.database import statement

MAX_FOUND = 100
"""So many clients of one address are listed."""


@dataclass(frozen=True, slots=True)
class SyncLook:
    """A sync as far as a look-up needs it. `destination` is that of its last finished run, else of
    the newest run that has one; None = no run has checked its setup yet."""

    sync_id: int
    fields: list[str]
    destination: dict[str, Any] | None
    is_finished: bool
    is_running: bool


def look_at_sync(cursor: Cursor, name: str) -> SyncLook | None:
    """The sync's row; None before its first run."""
    rows = many(
        cursor,
        """SELECT s.sync_id, s.fields, s.destination IS NOT NULL AS is_finished,
                  coalesce(s.lease_until > now(), FALSE) AS is_running,
                  coalesce(s.destination, (
                      SELECT r.destination FROM contact_sync.run AS r
                      WHERE r.sync_id = s.sync_id AND r.destination IS NOT NULL
                      ORDER BY r.run_id DESC LIMIT 1
                  )) AS destination
           FROM contact_sync.sync AS s WHERE s.name = %s""",
        (name,),
    )
    return SyncLook(**rows[0]) if rows else None


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
