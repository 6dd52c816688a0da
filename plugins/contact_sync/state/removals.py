"""Contacts to be removed: of former addresses, of excluded or deleted clients; off a list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from contact_sync.base.vocabulary import Lane, Outcome, RemovalReason
from contact_sync.postgres.cursor import Cursor, many, one, rows_as
from contact_sync.state import batch_moves, statements
from contact_sync.state.batches import Batch, create_batch, lose_contacts
from contact_sync.state.changes import note_removals
from contact_sync.state.runs import Run

SQL = statements.load("removals")
PER_BATCH = 100  # search/emails, DELETE contacts and DELETE lists/{id}/contacts take at most 100
MAX_BATCHES = 300  # mapped tasks of one run; the rest waits for the next run
ENOUGH_TRIES = 5
"""So many removals in a row may change nothing; then each next one waits for REST_HOURS."""
REST_HOURS = 24


class Age(NamedTuple):
    """For how many seconds an address is known to be removed, and how often SendGrid has accepted
    its removal and showed it all the same."""

    seconds: float
    tries: int


@dataclass(frozen=True, slots=True)
class Removable:
    """A contact that may go, and why; `list_id`: the list that it is on, if it has to leave one.
    `others`: the lists of other syncs that have the contact, "" = of a sync without a list."""

    email: str = field(repr=False)
    list_id: str
    why: str
    others: list[str]


def removable(
    cursor: Cursor, run: tuple[int, int], whys: tuple[RemovalReason, ...]
) -> list[Removable]:
    """The contacts that may go; `run` = (sync_id, run_id).

    Most runs have none; what follows would read the whole ledger to find that out.
    """
    return noted(cursor, run, whys) if _forget_taken(cursor, run[0]) else []


def _forget_taken(cursor: Cursor, sync_id: int) -> bool:
    """Clients have some of the addresses again; returns whether any was noted."""
    if not one(cursor, SQL["any_noted"], {"sync_id": sync_id})["found"]:
        return False
    cursor.execute(SQL["forget_taken"], {"sync_id": sync_id})
    return True


def noted(cursor: Cursor, run: tuple[int, int], whys: tuple[RemovalReason, ...]) -> list[Removable]:
    """The same, only by reading: a few that a client has again may be among them."""
    parameters = {"sync_id": run[0], "run_id": run[1], "whys": list(whys),
                  "enough": ENOUGH_TRIES, "rest_hours": REST_HOURS}  # fmt: skip
    return rows_as(Removable, cursor, SQL["removable_addresses"], parameters)


def create_batches(
    cursor: Cursor, run: tuple[int, int], lane: Lane, list_id: str | None, emails: list[str]
) -> None:
    """Batch contacts to be deleted, or taken off a list."""
    sync_id, run_id = run
    for start in range(0, len(emails), PER_BATCH):
        part = emails[start : start + PER_BATCH]
        batch_id = create_batch(cursor, run_id, sync_id, lane, len(part), list_id=list_id)
        cursor.execute(
            SQL["plan"],
            {"batch_id": batch_id, "sync_id": sync_id, "emails": part, "list_id": list_id},
        )
        note_removals(cursor, run_id, batch_id, lane)


def retire_absent(cursor: Cursor, sync_id: int, enough: int) -> None:
    """End the ledger rows of clients that are gone; their contacts become removals."""
    note_gone(cursor, sync_id, enough=enough)
    cursor.execute(SQL["retire_absent"], {"sync_id": sync_id, "enough": enough})


def note_gone(
    cursor: Cursor, sync_id: int, *, enough: int | None = None, ids: list[int] | None = None
) -> None:
    """Contacts of clients whose ledger rows end next, in the same transaction: of those that were
    absent `enough` times, or that had these ids."""
    parameters = {"sync_id": sync_id, "enough": enough, "client_ids": ids}
    cursor.execute(SQL["note_gone"], parameters)


def keep(cursor: Cursor, sync_id: int, whys: tuple[RemovalReason, ...]) -> int:
    """Never remove the contacts noted so far (policy `keep`); returns how many are new."""
    if not _forget_taken(cursor, sync_id):
        return 0
    cursor.execute(SQL["keep"], {"sync_id": sync_id, "whys": list(whys), "batch_id": None})
    return cursor.rowcount


def of_batch(cursor: Cursor, batch_id: int) -> dict[str, Age]:
    """The addresses of a removal batch."""
    rows = many(cursor, SQL["of_batch"], {"batch_id": batch_id})
    return {row["email"]: Age(row["seconds"], row["tries"]) for row in rows}


def count_try(cursor: Cursor, batch_id: int, emails: Collection[str] | None) -> None:
    """SendGrid accepted the removal of these contacts of a batch (None: of all) and shows them all
    the same."""
    addresses = None if emails is None else list(emails)
    cursor.execute(SQL["count_try"], {"batch_id": batch_id, "emails": addresses})


def not_free(cursor: Cursor, batch_id: int, run_id: int) -> list[int]:
    """Clients of a batch of upserts whose address has the contact of an excluded client still,
    which a removal that this run has sent may take away later."""
    parameters = {"batch_id": batch_id, "run_id": run_id}
    return [row["client_id"] for row in many(cursor, SQL["not_free"], parameters)]


def only_exclusions(cursor: Cursor, batch_id: int) -> bool:
    """Whether all contacts of a batch go because their clients are excluded."""
    return bool(one(cursor, SQL["only_exclusions"], {"batch_id": batch_id})["all_excluded"])


def count_in_vain(cursor: Cursor, sync_id: int) -> int:
    """How many contacts were so often removed in vain that their removal rests."""
    parameters = {"sync_id": sync_id, "enough": ENOUGH_TRIES}
    return int(one(cursor, SQL["count_in_vain"], parameters)["n"])


def set_apart(
    cursor: Cursor, run: Run, batch: Batch, emails: list[str], outcome: Outcome, *, done: bool
) -> None:
    """Move addresses for which nothing can be sent from a batch to a settled one of their own.

    `done`: nothing has to be removed any more; otherwise the next run tries again.
    """
    parameters = {"batch_id": batch.batch_id, "emails": emails}
    contacts = len(many(cursor, SQL["lock_of_batch"], parameters))
    if not contacts:
        return
    apart = create_batch(
        cursor, batch.run_id, batch.sync_id, batch.lane, contacts, list_id=batch.list_id
    )
    batch_moves.settle_unsent(cursor, run, replace(batch, batch_id=apart), outcome)
    lose_contacts(cursor, batch.batch_id, contacts)
    cursor.execute(SQL["move_to_batch"], parameters | {"apart": apart})
    if done:
        removed(cursor, batch.lane, apart)


def removed(cursor: Cursor, lane: Lane, batch_id: int) -> None:
    """The contacts of the batch are where its lane brings them."""
    cursor.execute(SQL["see_off"], {"batch_id": batch_id})
    (deleted if lane is Lane.DELETE else unlisted)(cursor, batch_id)


def deleted(cursor: Cursor, batch_id: int) -> None:
    """The contacts of the batch don't exist any more."""
    cursor.execute(SQL["release_contacts"], {"batch_id": batch_id})
    cursor.execute(SQL["forget_deleted"], {"batch_id": batch_id})


def unlisted(cursor: Cursor, batch_id: int) -> None:
    """The contacts of the batch are off the list; they still exist and are no client's any more."""
    cursor.execute(SQL["forget_unlisted"], {"batch_id": batch_id})
    cursor.execute(SQL["release_contacts"], {"batch_id": batch_id})
    cursor.execute(SQL["keep"], {"batch_id": batch_id, "sync_id": None, "whys": None})


def postponed(cursor: Cursor, batch_id: int) -> None:
    """The removal didn't happen, or nobody knows: the next run tries again."""
    cursor.execute(SQL["postpone"], {"batch_id": batch_id})
