"""Look up, once, whether an excluded client that no run has sent has a contact all the same.

An older import, a former name of the sync or a state database that is lost may have left one on
the list. Who was sent by this sync is noted for removal when it is excluded; everybody else is
looked up here, before the plan, so that what is found counts in it and against its limits.
"""

from __future__ import annotations

import logging

import numpy as np

from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import RemovalReason
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.context import mapping_of
from contact_sync.run.sending.search import search
from contact_sync.sendgrid.api import MAX_LOOKUP, is_searchable
from contact_sync.state import exclusions, leases, runs
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_LOOKED_UP = 10_000
"""Clients that one run looks up: 100 calls. The rest is counted, and waits for the next run, unless
the state database went back: then nobody waits."""


def look_up_excluded(sync: Sync, run: Run) -> None:
    """Note the contacts of excluded clients that are where they may not be, and remember of all
    others that they were looked up. Repeating it goes on where it ended.
    """
    if sync.definition.removal_of(RemovalReason.EXCLUDED) == "keep":
        return
    _forget_another_list(sync, run)
    before: dict[int, int] = {}
    while (clients := _to_look_up(sync, run)) not in ({}, before):
        _look_up_all(sync, run, clients)
        before = clients
        if run.unproven is None:
            break


def leave_former_lists(cursor: Cursor, sync: Sync, run: Run) -> None:
    """Note that whoever leaves the sync's list leaves those, too, that the sync has put it on
    before. A contact that is deleted is on no list."""
    former = run.destination.former_lists if run.destination else ()
    if former and sync.definition.removal_of(RemovalReason.EXCLUDED) == "unlist":
        exclusions.leave_former_lists(cursor, run.sync_id, former)


def _to_look_up(sync: Sync, run: Run) -> dict[int, int]:
    with sync.state.transaction() as cursor:
        return exclusions.to_look_up(cursor, run.sync_id, MAX_LOOKED_UP)


def _look_up_all(sync: Sync, run: Run, clients: dict[int, int]) -> None:
    addresses = _addresses(sync, run, clients)
    found = 0
    emails = [email for email in addresses if "@" in email]
    nowhere = [email_hash for email, (email_hash, _) in addresses.items() if "@" not in email]
    with sync.state.transaction(run.fence) as cursor:  # no contact has what is no address at all
        exclusions.see(cursor, run.sync_id, nowhere, off_list=True)
    for start in range(0, len(emails), MAX_LOOKUP):
        leases.renew_lease(sync.state, run)
        found += _look_up(sync, run, emails[start : start + MAX_LOOKUP], addresses)
    log.info("Looked up: %s; with a contact that has to go: %s",
             count(len(clients), "excluded client"), f"{found:,}")  # fmt: skip


def _forget_another_list(sync: Sync, run: Run) -> None:
    """That an excluded client isn't on one list says nothing of another: after the definition has
    named another one, also one that it had before, everybody is looked up again."""
    with sync.state.transaction(run.fence) as cursor:
        known = runs.read_sync(cursor, sync.definition.name).destination
        if known and known.mapping.list_id != mapping_of(run).list_id:
            exclusions.forget_looks(cursor, run.sync_id)


def _addresses(sync: Sync, run: Run, clients: dict[int, int]) -> dict[str, tuple[int, int]]:
    """Address → its hash and a client's id; who has another address by now is left to the next run.

    `clients`: id → hash of its address.
    """
    from contact_sync.contacts.transform import transform

    mapping, ids = mapping_of(run), np.array(sorted(clients), np.int64)
    hashing = sync.hashing()
    addresses: dict[str, tuple[int, int]] = {}
    with sync.b2core.snapshot() as snapshot:
        for batch in snapshot.clients(mapping.columns, int(ids[0]), int(ids[-1]), ids):
            frame = transform(batch, mapping, hashing).frame
            columns = (frame[name].tolist() for name in ("client_id", "email", "email_hash"))
            for client, email, email_hash in zip(*columns, strict=True):
                if clients.get(client) == email_hash:
                    addresses[email] = (email_hash, client)
    return addresses


def _look_up(sync: Sync, run: Run, emails: list[str], addresses: dict[str, tuple[int, int]]) -> int:
    """Look up at most 100 addresses; returns how many contacts are noted for removal."""
    contacts, _ = search(sync, emails)
    too_long = [email for email in emails if not is_searchable(email)]
    list_id = mapping_of(run).list_id
    found = {
        email: addresses[email]
        for email, contact in contacts.items()
        if list_id is None or list_id in (contact.get("list_ids") or ())
    }
    hashes = {email: addresses[email][0] for email in emails}
    # What SendGrid refuses to search as not valid is no contact's address either.
    off = [hashes[email] for email in emails if email not in found and is_searchable(email)]
    with sync.state.transaction(run.fence) as cursor:
        exclusions.note_found(cursor, run.sync_id, found)
        exclusions.see(cursor, run.sync_id, off, off_list=True)
        exclusions.see(cursor, run.sync_id, [hashes[e] for e in too_long], off_list=False)
        reach("excluded_looked_up_uncommitted")
    return len(found)
