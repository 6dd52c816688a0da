"""Read contacts back when a job's own account of them doesn't say enough.

SendGrid's search lags behind its jobs (about 30 s, recordings): a contact that isn't right yet is
sent again, never rejected for that alone.
"""

from __future__ import annotations

import logging

from contact_sync.base.errors import RequestRefused
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.payloads import OutboxRow
from contact_sync.contacts.read_back import holds
from contact_sync.run.context import mapping_of
from contact_sync.sendgrid.api import MAX_LOOKUP, is_searchable
from contact_sync.state import batch_contacts, leases, runs
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_READ_BACK = 20_000  # contacts of one batch: 200 calls


def not_applied(sync: Sync, run: Run, batch: Batch, *, believe: bool) -> set[str]:
    """Addresses of the batch whose contact isn't, or can't be seen to be, as it was sent.

    `believe`: the job says that it refused none of them, which has to be enough for an address that
    can't be searched: nothing else would ever end its being sent again.
    Of a batch above MAX_READ_BACK contacts only a sample of that size is looked at.
    """
    mapping = mapping_of(runs.load_run(sync.state, batch.run_id))
    with sync.state.transaction() as cursor:
        rows = batch_contacts.contact_sample(cursor, batch.batch_id, MAX_READ_BACK)
    wrong: set[str] = set()
    for start in range(0, len(rows), MAX_LOOKUP):
        leases.renew_lease(sync.state, run)
        wrong |= _wrong(sync, rows[start : start + MAX_LOOKUP], mapping)
    if not believe:
        wrong |= {row.email for row in rows if not is_searchable(row.email)}
    reach("read_back")
    log.info("Batch %d: %s of %s read back as sent", batch.batch_id,
             f"{len(rows) - len(wrong):,}", count(len(rows), "contact"))  # fmt: skip
    return wrong


def _wrong(sync: Sync, rows: list[OutboxRow], mapping: Mapping) -> set[str]:
    rows = [row for row in rows if is_searchable(row.email)]
    try:
        found = sync.sendgrid.contacts_by_email([row.email for row in rows]) if rows else {}
    except RequestRefused as error:
        log.warning("Reading back failed: %s", error)
        found = {}
    return {
        row.email
        for row in rows
        if row.email not in found or not holds(found[row.email], row, mapping)
    }
