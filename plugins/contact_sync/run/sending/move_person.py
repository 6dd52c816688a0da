"""An e-mail change moves the person: what the former contact holds goes along to the new one.

Memberships of other lists, and values of fields that no sync fills. They are looked up and stored
before anything is sent, because in a swap of addresses the next upserts reach the contacts that
hold them. They are sent once the new contact is confirmed, by batches of its family, and the former
contact isn't removed before SendGrid shows the new one with them.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from contact_sync.base.errors import RequestRefused
from contact_sync.base.failpoints import reach
from contact_sync.base.json_columns import Belongings, Plan
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import Ending, Job, JobStatus, Outcome, SendGridField
from contact_sync.contacts.belongings import (
    Mover,
    Owned,
    belongings,
    contact_of,
    holds,
    possible,
)
from contact_sync.contacts.json_bodies import upsert_body
from contact_sync.contacts.mapping import Mapping
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.context import mapping_of
from contact_sync.run.sending import removal_targets
from contact_sync.run.sending.look_up import look_up
from contact_sync.sendgrid.api import MAX_LOOKUP
from contact_sync.state import batches, moves
from contact_sync.state.batches import Batch
from contact_sync.state.moves import Carried, Moved
from contact_sync.state.runs import Run
from contact_sync.state.suppressed import address_hashes
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
PAGE = 2_000
"""Clients whose contacts are looked at, and held in memory, before what was found is stored."""
SHOWN_AFTER_SECONDS = 120.0
"""So long after it was sent, what a job has applied is looked for; later, by the next run."""


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """What a batch sends: the body of an upsert, and contact ids by the list that they leave."""

    body: bytes
    leaving: dict[str, list[str]]


def plan_moves(sync: Sync, run: Run, plan: Plan) -> Plan:
    """Look at the contacts of clients that are about to get another address, and store what goes
    along; returns the plan with the numbers of it. Only reads at SendGrid.

    For a run that has begun to send it does nothing: what is there now may be another one's.
    """
    with sync.state.transaction() as cursor:
        moving, given_up = (plan.counts.get(key, 0) for key in ("address_changed", "given_up"))
        if not (moving or given_up or moves.any_noted(cursor, run.sync_id)):
            return plan
        if batches.has_begun_to_send(cursor, run.run_id):
            return plan
        moved = moves.movers(cursor, run.sync_id, run.run_id) if moving else []
        moved += moves.given_up(cursor, run.sync_id, run.run_id) if given_up else []
        unseen = moves.unseen(cursor, run.sync_id)
    if not sync.definition.carry_belongings:
        with sync.state.transaction(run.fence) as cursor:
            moves.forget_all(cursor, run.sync_id)
        return plan
    known = {(each.client_id, each.former_hash) for each in moved}
    moved += [each for each in unseen if (each.client_id, each.former_hash) not in known]
    with sync.state.transaction(run.fence) as cursor:
        moves.clean_up(cursor, run.sync_id, run.run_id)
    return _note(sync, run, plan, moved) if moved else plan


def _note(sync: Sync, run: Run, plan: Plan, moved: list[Moved]) -> Plan:
    """Store what goes along with each, and forget those that take nothing along."""
    formers = {each.former for each in moved if each.former}
    fields, owned = sync.sendgrid.fields(), _owned(sync, run, moved)
    counts, stays = Counter(to_move=0, unmovable=0), Counter[str]()
    for start in range(0, len(moved), PAGE):
        page = moved[start : start + PAGE]
        given, hidden = _look(sync, run, page, formers, owned, fields)
        noted = dict[Moved, Belongings | None].fromkeys(hidden)
        noted |= {each: what for each, what in given.items() if not what.is_empty}
        counts["to_move"] += sum(bool(what.values or what.lists) for what in given.values())
        counts["unmovable"] += sum(bool(what.stays) for what in given.values())
        stays.update(name for what in given.values() for name in what.stays)
        with sync.state.transaction(run.fence) as cursor:
            moves.forget(cursor, run.sync_id, [each for each in page if each not in noted])
            for each, what in noted.items():
                moves.note(cursor, run.sync_id, each, what)
            reach("moves_noted_uncommitted")
    former = count(counts["to_move"], "former contact holds", "former contacts hold")
    log.info("What %s goes along to the new address", former)
    for name, contacts in stays.items():
        log.warning(
            "%s %s, which can't be moved",
            count(contacts, "former contact holds", "former contacts hold"),
            name,
        )
    return replace(plan, counts=plan.counts | counts)


def _look(
    sync: Sync,
    run: Run,
    page: list[Moved],
    formers: set[str],
    owned: Owned,
    fields: list[SendGridField],
) -> tuple[dict[Moved, Belongings], list[Moved]]:
    """What goes along with each of the page, without those that have nothing; and those whose
    former contact isn't shown yet, because SendGrid's search lags. `formers`: of all pages."""
    addresses = {each.email for each in page} | {each.former for each in page if each.former}
    found, unsearchable = look_up(sync, run, addresses)
    given: dict[Moved, Belongings] = {}
    hidden: list[Moved] = []
    for each in page:
        if each.former and each.former not in found:
            late = each.seconds < removal_targets.SEARCH_LAG_SECONDS
            if late and each.former not in unsearchable:
                hidden.append(each)
            continue
        mover = Mover(each.client_id, each.former, each.email)
        what = belongings(mover, found, formers, owned, fields)
        if not what.is_empty or what.stays:
            given[each] = what
    return given, hidden


def _owned(sync: Sync, run: Run, moved: list[Moved]) -> Owned:
    """What this sync fills, and the others of this state database that hold one of the contacts:
    they see the change of the address themselves."""
    hashes = [each.former_hash for each in moved if each.former]
    with sync.state.transaction() as cursor:
        others = moves.other_destinations(cursor, run.sync_id, hashes)
    mappings: list[Mapping] = [mapping_of(run), *(other.mapping for other in others)]
    return Owned(
        frozenset(field.name.lower() for mapping in mappings for field in mapping.fields),
        frozenset(mapping.list_id for mapping in mappings if mapping.list_id),
    )


def prepare_move(sync: Sync, run: Run, batch: Batch) -> MoveRequest | None:
    """What is left to send of a batch; None = the new contacts show all of it."""
    left, found, fields = _left(sync, run, batch, believe=False)
    if not left:
        return None
    leaving: dict[str, list[str]] = {}
    for row in left:
        if row.email in found:
            for list_id in row.belongings.leaves:
                leaving.setdefault(list_id, []).append(str(found[row.email]["id"]))
    merged: dict[str, Belongings] = {}
    for row in left:  # a client may have moved twice
        before = merged.get(row.email, Belongings())
        merged[row.email] = replace(
            row.belongings,
            values=before.values | row.belongings.values,
            clears=(*before.clears, *row.belongings.clears),
        )
    contacts = [contact_of(email, what, fields) for email, what in merged.items()]
    return MoveRequest(upsert_body(contacts, list(left[0].belongings.lists)), leaving)


def leave_lists(sync: Sync, leaving: dict[str, list[str]]) -> None:
    """Take contacts off lists that only the client was on that had their address before."""
    for list_id, ids in leaving.items():
        for start in range(0, len(ids), MAX_LOOKUP):
            try:
                sync.sendgrid.unlist_contacts(list_id, ids[start : start + MAX_LOOKUP])
            except RequestRefused as error:
                if not error.is_missing:
                    raise
                log.info("A list or a contact is gone meanwhile: %s", error)


def refused(sync: Sync, run: Run, batch: Batch, error: RequestRefused) -> None:
    """SendGrid took nothing of the batch: the next run sends each contact of it by itself."""
    log.warning("What former contacts hold wasn't taken, so they stay: %s", error)
    with sync.state.transaction(run.fence) as cursor:
        moves.not_seen(cursor, batch.batch_id)


def look_again(sync: Sync, run: Run, batch: Batch, job: Job) -> Callable[[Cursor], Ending] | None:
    """Look at the new contacts once the job is over; returns what has to be written of it. None =
    SendGrid's search, which lags, may show later what the job says it has applied: look again."""
    is_applied = job.status is JobStatus.COMPLETED
    left, _, _ = _left(sync, run, batch, believe=is_applied)
    is_recent = (batch.submitted_seconds or 0) < SHOWN_AFTER_SECONDS
    if is_applied and is_recent and any(row.tries == 0 for row in left):
        return None

    def write(cursor: Cursor) -> Ending:
        every = moves.of_batch(cursor, batch.batch_id)
        keys = {(row.client_id, row.former_hash) for row in left}
        done = [row for row in every if (row.client_id, row.former_hash) not in keys]
        moves.forget(cursor, batch.sync_id, done)
        moves.not_seen(cursor, batch.batch_id)
        return Ending(Outcome.MOVED, {"moved": len(done), "left": len(left)})

    return write


def _left(
    sync: Sync, run: Run, batch: Batch, *, believe: bool
) -> tuple[list[Carried], dict[str, dict[str, Any]], list[SendGridField]]:
    """The rows of the batch that SendGrid doesn't show at the new contacts; these contacts; and the
    account's fields. `believe`: an address that can't be searched counts as shown."""
    with sync.state.transaction() as cursor:
        rows = moves.of_batch(cursor, batch.batch_id)
    ids, hashes = (
        [row.client_id for row in rows],
        address_hashes([row.email for row in rows], sync.hashing()),
    )
    erased = sync.tombstones().cover(np.array(ids, np.int64), np.array(hashes, np.int64))
    rows = [row for row, is_erased in zip(rows, erased, strict=True) if not is_erased]
    if not rows:
        return [], {}, []
    fields, lists = sync.sendgrid.fields(), set(sync.sendgrid.lists().values())
    rows = [replace(row, belongings=possible(row.belongings, fields, lists)) for row in rows]
    found, unsearchable = look_up(sync, run, [row.email for row in rows])
    reach("moves_looked_at")
    left = [
        row for row in rows
        if not holds(found.get(row.email), row.belongings)
        and not (believe and row.email in unsearchable)
    ]  # fmt: skip
    return left, found, fields
