"""Look up rejected clients: a rejection that SendGrid's contact disproves is taken back.

A client may be rejected for what jobs did, or for what they said, and its contact be right all the
same: SendGrid's search lags, jobs end late. Before a run chooses its clients, those whose contact
is as B2CORE calls for are confirmed; those of whom SendGrid didn't say itself that it refuses them,
and whose contact holds other values, are pending, and sent once more by this run.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from contact_sync.base.errors import RequestRefused
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.refusal_retries import MAX_RETRIED
from contact_sync.base.vocabulary import FieldType, RunKind
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.payloads import OutboxRow
from contact_sync.contacts.read_back import holds, shown
from contact_sync.run.context import mapping_of
from contact_sync.run.sending.look_up import look_up
from contact_sync.state import affected, refused_values, rejections
from contact_sync.state.rejections import Found
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_LOOKED_UP = 1_000
"""Rejected clients that one run looks up: 10 calls. The rest waits for the next run."""


def take_back(sync: Sync, run: Run) -> None:
    """Look up the clients that were rejected since they were last looked up, and, once in
    `full_every_hours` and in each run of mode full, all others. Then those that SendGrid still
    rejects are pending when their time has come.

    Repeating it does no harm. A run that sends them anyway, or nothing, looks nobody up.
    """
    if run.dry_run or run.is_trial or run.retry_rejected or run.kind is RunKind.RESEND:
        return
    _look_up(sync, run)
    _retry(sync, run)


def _retry(sync: Sync, run: Run) -> None:
    """A refusal may have been SendGrid's state and not the value: who was rejected long enough ago
    is sent again, by this run."""
    with sync.state.transaction(run.fence) as cursor:
        hours = sync.definition.full_every_hours
        n = rejections.retry(cursor, run.sync_id, hours=hours, at_most=MAX_RETRIED)
        reach("retries_uncommitted")
    if n:
        log.info("Rejected by SendGrid some time ago, and tried again: %s", count(n, "client"))


def _look_up(sync: Sync, run: Run) -> None:
    hours = 0.0 if run.kind is RunKind.FULL else sync.definition.full_every_hours
    with sync.state.transaction() as cursor:
        clients = rejections.to_look_up(cursor, run.sync_id, hours=hours, at_most=MAX_LOOKED_UP)
    if not clients:
        return
    rows = _wanted(sync, run, clients)
    try:
        contacts, _ = look_up(sync, run, rows)
    except RequestRefused as error:  # it will be seen again by what can't do without the search
        log.warning("Rejected clients can't be looked up: %s", error)
        return
    confirmed = pending = 0
    mapping = mapping_of(run)
    with sync.state.transaction(run.fence) as cursor:
        rejections.see(cursor, run.sync_id, clients.keys())
        for email, contact in contacts.items():
            found, is_right = _judged(rows[email], contact, mapping)
            if is_right:
                rejections.note_former(cursor, run.sync_id, found)
                confirmed += rejections.confirm(cursor, run.sync_id, found)
            else:
                pending += rejections.try_again(cursor, run.sync_id, found)
        if confirmed:
            affected.forget_counts(cursor, run.sync_id)
        reach("rejections_uncommitted")
    log.info("Looked up: %s; right, so that they are confirmed: %s; sent once more: %s",
             count(len(clients), "rejected client"), f"{confirmed:,}", f"{pending:,}")  # fmt: skip


def _wanted(sync: Sync, run: Run, clients: dict[int, int]) -> dict[str, dict[str, Any]]:
    """Address → what B2CORE calls for, of the clients in which nothing has changed since they were
    rejected; everybody else is decided upon by the run itself. `clients`: id → hash of that."""
    from contact_sync.contacts.transform import transform

    mapping, ids = mapping_of(run), np.array(sorted(clients), np.int64)
    hashing = sync.hashing()
    first, last = int(ids[0]), int(ids[-1])
    with sync.state.transaction() as cursor:
        refused = refused_values.read(cursor, run.sync_id, first, last)
    rows: dict[str, dict[str, Any]] = {}
    names = ["client_id", "email", "email_hash", "payload", "row_hash", "filled"]
    with sync.b2core.snapshot() as snapshot:
        for batch in snapshot.clients(mapping.columns, first, last, ids):
            frame = transform(batch, mapping, hashing, refused).frame
            sendable = frame[frame["exclusion"].isna() & frame["reason"].isna()]
            for values in sendable[names].itertuples(index=False, name=None):
                row = dict(zip(names, values, strict=True))
                if clients.get(row["client_id"]) == row["row_hash"]:
                    rows[row["email"]] = row
    return rows


def _judged(row: dict[str, Any], contact: dict[str, Any], mapping: Mapping) -> tuple[Found, bool]:
    """What a contact holds, and whether it is what B2CORE calls for: every value, no text beside
    them, the list."""
    now, texts = int(row["filled"]), mapping.mask(FieldType.TEXT)
    held = sum(1 << f.bit for f in mapping.fields if shown(f, contact) not in (None, ""))
    found = Found(
        int(row["client_id"]), row["email"], int(row["email_hash"]), int(row["row_hash"]),
        filled=held, stale=held & ~now & ~texts,
    )  # fmt: skip
    sent = OutboxRow(row["email"], row["payload"], texts & ~now)
    return found, holds(contact, sent, mapping)
