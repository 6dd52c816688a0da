"""Read what the state database knows of single clients, for people; a run reads nothing here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contact_sync.base.json_columns import JobCounts, known_fields
from contact_sync.postgres.cursor import Cursor, many, rows_as
from contact_sync.reporting.explanation import Removal, Sending
from contact_sync.state import statements

SQL = statements.load("for_people/client")
MAX_FOUND = 100
"""So many clients of one address are listed."""


@dataclass(frozen=True, slots=True)
class LedgerClient:
    """A client's row of the ledger. `email`: the address of its contact, None = it has none.
    `sent`: the batch that it was sent with last, None = not known."""

    state: str
    email: str | None = dataclasses.field(repr=False)
    email_hash: int | None
    contact_hash: int | None
    row_hash: int | None
    filled: int
    stale: int
    field: str | None
    reason: str | None
    detail: str | None
    tries: int
    rejected_since: datetime | None
    absent: int
    updated_at: datetime
    sent: Sending | None


@dataclass(frozen=True, slots=True)
class ClientOfAddress:
    """A client that had an address when the sync last looked; `has_contact`: at that address."""

    client_id: int
    state: str
    has_contact: bool


@dataclass(frozen=True, slots=True)
class StaleClient:
    """A client that holds values at SendGrid which B2CORE emptied and nobody can clear, in the
    fields of these names; its attributes' names are keys of `status --json`."""

    client_id: int
    client_key: str | None
    fields: list[str]


def look_at_client(cursor: Cursor, sync_id: int, client_id: int) -> LedgerClient | None:
    """What the ledger has of a client; None = it isn't there."""
    parameters = {"sync_id": sync_id, "client_id": client_id}
    for row in many(cursor, SQL["client"], parameters):
        sent = _sending(row) if row["batch_id"] is not None else None
        return LedgerClient(**known_fields(LedgerClient, row | {"sent": sent}))
    return None


def staged(cursor: Cursor, sync_id: int, client_id: int) -> list[Sending]:
    """Where the client waits to be sent: run and open batch."""
    parameters = {"sync_id": sync_id, "client_id": client_id}
    return [_sending(row) for row in many(cursor, SQL["staged"], parameters)]


def noted_removals(
    cursor: Cursor, sync_id: int, client_id: int, hashes: tuple[int, int]
) -> list[Removal]:
    """Contacts noted for removal, of the client or of the addresses with these two hashes."""
    parameters = {"sync_id": sync_id, "client_id": client_id,
                  "email_hash": hashes[0], "contact_hash": hashes[1]}  # fmt: skip
    return rows_as(Removal, cursor, SQL["noted_removals"], parameters)


def clients_of_address(cursor: Cursor, sync_id: int, email_hash: int) -> list[ClientOfAddress]:
    """Clients that had an address when the sync last looked, or whose contact has it. At most
    MAX_FOUND; one scan of the ledger."""
    parameters = {"sync_id": sync_id, "email_hash": email_hash, "at_most": MAX_FOUND}
    return rows_as(ClientOfAddress, cursor, SQL["clients_of_address"], parameters)


def stale_clients(cursor: Cursor, sync_id: int, limit: int) -> list[StaleClient]:
    """The first `limit` of them by id."""
    parameters = {"sync_id": sync_id, "at_most": limit}
    return rows_as(StaleClient, cursor, SQL["stale_clients"], parameters)


def keys_of(cursor: Cursor, sync_id: int, ids: Iterable[int]) -> dict[int, str]:
    """Client id → key in B2CORE, of those that have one, as runs have noted it."""
    parameters = {"sync_id": sync_id, "client_ids": sorted(ids)}
    return {row["client_id"]: row["client_key"] for row in many(cursor, SQL["keys_of"], parameters)}


def clients_of_key(cursor: Cursor, sync_id: int, spellings: list[str]) -> list[int]:
    """Ids of clients that runs have noted with one of these keys; at most MAX_FOUND."""
    parameters = {"sync_id": sync_id, "spellings": spellings, "at_most": MAX_FOUND}
    return [row["client_id"] for row in many(cursor, SQL["clients_of_key"], parameters)]


def _sending(row: dict[str, Any]) -> Sending:
    """From a row with a batch's columns."""
    own = {"state": row["batch_state"], "counts": JobCounts.of_column(row["counts"])}
    return Sending(**known_fields(Sending, row | own))
