"""Look what SendGrid holds in fields that are empty in B2CORE, where nobody knows it.

Contacts may have been there before the sync, and people type into them. A JSON request empties
texts whether or not they hold anything, so nothing has to be known. A CSV file can't (what an empty
cell does is documented nowhere), and a Number or a Date can't be emptied at all: then the contacts
are looked up, a hundred a call, and those that hold something are emptied by JSON, or told as
stale. An account without any contact isn't asked for more than their number.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import Any

from contact_sync.base.failpoints import reach
from contact_sync.base.json_columns import Plan
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import FieldType, Job, Lane
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.read_back import shown
from contact_sync.run.context import mapping_of
from contact_sync.run.sending.look_up import look_up
from contact_sync.run.unpacking import has_blocks, unpack_run
from contact_sync.state import batch_contacts, batches, runs, staging
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.state.staging import Unsure
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
PAGE = 5_000
"""Contacts that are looked at before what was found is stored: 50 calls."""


def look_before(sync: Sync, run: Run, plan: Plan, *, csv: bool) -> Plan:
    """Have the staged contacts emptied of what SendGrid holds and B2CORE doesn't; returns the plan
    with the numbers of it. `csv`: the run takes the CSV lane. Only reads at SendGrid.

    Repeating it changes nothing; it isn't for a run that has begun to send.
    """
    mapping, looked = mapping_of(run), 0
    after: int | None = None  # ids may be negative
    if not csv and not mapping.mask(FieldType.NUMBER, FieldType.DATE):
        return plan
    if has_blocks(sync, run):
        if sync.sendgrid.count_contacts() == 0:
            return plan
        unpack_run(sync, run)
    while page := _page(sync, run, after, texts=csv):
        if not looked and sync.sendgrid.count_contacts() == 0:
            return plan
        found, unsearchable = look_up(sync, run, [row.email for row in page])
        held = _all_held(mapping, page, found)
        held |= {row.client_id: (0, 0) for row in page if row.email in unsearchable}
        with sync.state.transaction(run.fence) as cursor:
            if batches.has_begun_to_send(cursor, run.run_id):
                return plan
            staging.save_held(cursor, run.run_id, held)
            reach("held_uncommitted")
        looked, after = looked + len(page), page[-1].client_id
    return _counted(sync, run, plan, mapping, looked) if looked else plan


def held_after(sync: Sync, run: Run, batch: Batch, job: Job) -> set[str]:
    """Addresses of a batch whose contacts hold texts that B2CORE doesn't have, after an import into
    an account that seemed to be empty; SendGrid counts new contacts late. What they hold is noted.

    An import that created all its contacts met none, and before any other plan they were looked at.
    """
    if batch.lane is not Lane.CSV or job.created >= batch.contacts:
        return set()
    own = runs.load_run(sync.state, batch.run_id)
    if own.plan is None or own.plan.counts.get("looked_at"):
        return set()
    mapping, wrong = mapping_of(own), set[str]()
    after: int | None = None
    while page := _of_batch(sync, batch, after):
        found, _ = look_up(sync, run, [row.email for row in page])
        held = _all_held(mapping, page, found)
        with sync.state.transaction(run.fence) as cursor:
            batch_contacts.note_held(cursor, batch.run_id, held)
            reach("held_after_uncommitted")
        wrong |= {row.email for row in page if held.get(row.client_id, (0, 0))[0]}
        after = page[-1].client_id
    return wrong


def _of_batch(sync: Sync, batch: Batch, after: int | None) -> list[Unsure]:
    with sync.state.transaction() as cursor:
        return batch_contacts.unsure(cursor, batch.batch_id, after=after, at_most=PAGE)


def _all_held(
    mapping: Mapping, page: list[Unsure], found: dict[str, dict[str, Any]]
) -> dict[int, tuple[int, int]]:
    """Client id → masks of what SendGrid holds, of those for whom it holds anything."""
    every = ((row, _held(mapping, found[row.email], row.fields))
             for row in page if row.email in found)  # fmt: skip
    return {row.client_id: masks for row, masks in every if any(masks)}


def _page(sync: Sync, run: Run, after: int | None, *, texts: bool) -> list[Unsure]:
    with sync.state.transaction() as cursor:
        return staging.unsure_contacts(cursor, run.run_id, texts=texts, after=after, at_most=PAGE)


def _held(mapping: Mapping, contact: dict[str, Any], unsure: int) -> tuple[int, int]:
    """Masks of the fields that hold a value, of those that are unsure: texts, and others."""
    masks = [0, 0]
    for field in mapping.fields:
        if unsure >> field.bit & 1 and shown(field, contact) not in (None, ""):
            masks[field.type is not FieldType.TEXT] |= 1 << field.bit
    return masks[0], masks[1]


def _counted(sync: Sync, run: Run, plan: Plan, mapping: Mapping, looked: int) -> Plan:
    """The plan with what is emptied and what is stale, as it is staged now."""
    with sync.state.transaction() as cursor:
        cleared, by_mask = staging.count_emptied(cursor, run.run_id)
    stale = Counter[str]()
    for mask, contacts in by_mask.items():
        stale.update({f.name: contacts for f in mapping.fields if mask >> f.bit & 1})
    log.info(
        "SendGrid held values that B2CORE doesn't have; %s emptied",
        count(cleared, "contact is", "contacts are"),
    )
    counts = plan.counts | {"cleared": cleared, "looked_at": looked}
    return replace(plan, counts=counts, stale=dict(stale.most_common()))
