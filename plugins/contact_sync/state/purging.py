"""Everything that the state database has of a person who is erased: found, and deleted for good."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import affected, outbox_blocks, row_counts, statements

SQL = statements.load("purging")
PURGES = {
    "clients": SQL["purge_ledger"],
    "staged contacts": SQL["purge_outbox"],
    "removals": SQL["purge_removals"],
    "moves": SQL["purge_moves"],
    "opt-outs due": SQL["purge_opt_outs_due"],
    "suppressions": SQL["purge_suppressions"],
    "findings": SQL["purge_findings"],
    "dropped values": SQL["purge_dropped_values"],
    "refused values": SQL["purge_refused_values"],
    "changes": SQL["purge_changes"],
    "client keys": SQL["purge_client_keys"],
    "slices": SQL["purge_slices"],
    "batches": SQL["purge_bounds"],
    "trials": SQL["purge_trials"],
    "examples of rejections": SQL["purge_examples"],
    "clients of verifications": SQL["purge_sides"],
    "contacts of verifications": SQL["purge_account_side"],
    "proofs": SQL["purge_proofs"],
    "unequal clients of verifications": SQL["purge_unequal"],
    "clients looked at": SQL["purge_looked_at"],
}
"""What is deleted → by which statement. A test compares them with the tables that hold people."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is erased in one sync: ids in B2CORE, addresses with their hashes (in the same order)."""

    sync_id: int
    client_ids: tuple[int, ...] = ()
    addresses: dict[str, int] = field(default_factory=dict, repr=False)

    def parameters(self) -> dict[str, object]:
        """For the statements."""
        return {
            "sync_id": self.sync_id, "client_ids": list(self.client_ids),
            "emails": list(self.addresses), "email_hashes": list(self.addresses.values()),
        }  # fmt: skip


def clients_of_addresses(cursor: Cursor, sync_id: int, hashes: Collection[int]) -> list[int]:
    """The clients of a sync who had one of these addresses when a run last looked."""
    parameters = {"sync_id": sync_id, "email_hashes": list(hashes)}
    return [row["client_id"] for row in many(cursor, SQL["clients_of_addresses"], parameters)]


def departed_clients(cursor: Cursor, sync_id: int, hashes: Collection[int]) -> list[int]:
    """Those who had one of these addresses and whom the ledger doesn't have any more, as far as
    their removals are known; the ids may be other people's by now."""
    parameters = {"sync_id": sync_id, "email_hashes": list(hashes)}
    return sorted(row["client_id"] for row in many(cursor, SQL["departed_clients"], parameters))


def same_clients(cursor: Cursor, person: Person) -> list[int]:
    """Those of the ids, of another sync of the same B2CORE, who are known in this sync with one of
    the addresses: the same client, whom this sync has seen last before, or after, a change."""
    return [row["client_id"] for row in many(cursor, SQL["same_clients"], person.parameters())]


def addresses_of_clients(cursor: Cursor, person: Person) -> list[str]:
    """Every address of these clients that is known, now and before."""
    in_blocks = outbox_blocks.contacts_of(
        cursor, person.client_ids, "email", sync_id=person.sync_id
    )
    rows = many(cursor, SQL["addresses_of_clients"], person.parameters())
    return sorted({row["email"] for row in [*rows, *in_blocks]})


def every_address(cursor: Cursor, sync_id: int) -> dict[str, int]:
    """Addresses that are kept whether or not a client has them, with their hashes."""
    rows = many(cursor, SQL["every_address"], {"sync_id": sync_id})
    return {row["email"]: row["email_hash"] for row in rows}


def held_by_others(cursor: Cursor, persons: Collection[Person]) -> set[int]:
    """Those of the addresses, by hash, that other clients of any sync have; `persons`: the same
    one in each sync."""
    own = {(one.sync_id, client) for one in persons for client in one.client_ids}
    hashes = {h for one in persons for h in one.addresses.values()}
    rows = many(cursor, SQL["holders"], {"email_hashes": list(hashes)})
    return {row["held"] for row in rows if (row["sync_id"], row["client_id"]) not in own}


def has_trace(cursor: Cursor, person: Person) -> bool:
    """Whether a sync has something of the person, or something is under way that may bring it."""
    return bool(one(cursor, SQL["has_trace"], person.parameters())["found"])


def forgotten(cursor: Cursor, person: Person) -> int:
    """How many former addresses are known by their hashes alone, so that nobody can look for their
    contacts."""
    return int(one(cursor, SQL["forgotten"], person.parameters())["n"])


def purge(cursor: Cursor, person: Person) -> dict[str, int]:
    """Delete what there is of the person; returns how many rows of what."""
    found = {}
    outbox_blocks.unpack_persons(
        cursor, person.sync_id, person.client_ids, person.addresses.values()
    )
    for what, statement in PURGES.items():
        cursor.execute(statement, person.parameters())
        if cursor.rowcount > 0:
            found[what] = cursor.rowcount
    if counts := row_counts.forget_clients(cursor, person.sync_id, person.client_ids):
        found["counts of rows"] = counts
    affected.forget_counts(cursor, person.sync_id)
    return found
