"""Fill a ledger that is empty, or isn't believed, from a verification.

What is equal counts as confirmed without a call; the next run sends the rest. So the first load
into an account that an older tool filled sends only what differs, and a restored state database
needs no run that sends everything again.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime

from contact_sync.base.errors import FatalError
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.run_life import kind_reason
from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.mapping import Mapping
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.outer_mark import leave_mark, read_mark
from contact_sync.state import identity, leases, rebuilds, repairs, runs
from contact_sync.sync import Sync
from contact_sync.verify.context import open_verification
from contact_sync.verify.repair import waiting_for_lease

log = logging.getLogger(__name__)
LEASE_MINUTES = 60.0
"""For how long a run that is at work is waited for."""
TOLD_SECONDS = 60.0


def prepare(sync: Sync) -> float:
    """Before the export is ordered: see whether the ledger can be believed, and note it if not.

    Returns for how many seconds requests may still take effect that the state database has
    forgotten: what is exported before isn't what they leave. Raises LeaseBusy while a run is at
    work.
    """
    sync.state.check_schema()
    mark, place = read_mark(sync), sync.marks.place if sync.marks else None
    with sync.state.transaction() as cursor:
        sync_id = runs.ensure_sync(cursor, sync.definition.name).sync_id
        leases.refuse_at_work(cursor, sync_id)
        found = identity.look(cursor, sync_id, mark, place)
        why = identity.doubt_of(found, mark)
        if why is not None:
            identity.doubt(cursor, sync_id, why, mark)
            identity.write(cursor, sync_id, found)
            log.warning("Nothing of the ledger is believed: %s", kind_reason(why))
        own = rebuilds.newest_mark(cursor, sync_id) if why is not None else None
        age = identity.seconds_since_forgotten(cursor, sync_id)
        reach("doubt_uncommitted")
    if own is not None:  # or the next run would doubt once more
        leave_mark(sync, own)
    if age is None:
        return 0.0
    return max(0.0, sync.definition.deadlines.quarantine_minutes * 60 - age)


def wait_for_forgotten(sync: Sync) -> None:
    """Wait until what the state database has forgotten can't take effect any more."""
    while (left := waiting_for_lease(lambda: prepare(sync), LEASE_MINUTES)) > 0:
        log.info("Requests that are forgotten may still take effect: waiting %.0f s", left)
        time.sleep(min(left, TOLD_SECONDS))


def rebuild_ledger(sync: Sync, verification_id: int, holder: str | None = None) -> None:
    """Fill the ledger, if the verification is to; a run that is at work is waited for."""
    found = open_verification(sync, verification_id, holder)
    mapping, read_at = found.destination.mapping, found.read_at
    if found.rebuilds and found.rebuilt is None and read_at is not None:
        waiting_for_lease(lambda: rebuild(sync, verification_id, mapping, read_at), LEASE_MINUTES)


def rebuild(sync: Sync, verification_id: int, mapping: Mapping, read_at: datetime) -> int:
    """Confirm the clients whose contact the verification found equal; returns how many.

    `mapping`: by which both sides were compared; `read_at`: when B2CORE was read. What isn't equal
    is marked for the next run. Repeating it changes nothing. Raises LeaseBusy while a run is at
    work, FatalError when fields have got other places in the ledger since.
    """
    with sync.state.transaction() as cursor:
        known = runs.ensure_sync(cursor, sync.definition.name)
        leases.refuse_at_work(cursor, known.sync_id)
        _keep_fields(cursor, known, mapping)
        confirmed = rebuilds.confirm_equal(cursor, known.sync_id, verification_id, read_at)
        if identity.is_doubted(cursor, known.sync_id):
            left = rebuilds.prove(cursor, known.sync_id, mapping.mask(FieldType.TEXT))
            log.info(
                "The ledger is believed again; %s found equal",
                count(left, "client of it wasn't", "clients of it weren't"),
            )
        repairs.send_again(cursor, known.sync_id, verification_id)
        identity.renew(cursor, known.sync_id)
        reach("rebuild_uncommitted")
    log.info("%s confirmed without being sent", count(confirmed, "client is", "clients are"))
    return confirmed


def _keep_fields(cursor: Cursor, known: runs.SyncState, mapping: Mapping) -> None:
    """The masks of the ledger mean the mapping's fields from now on."""
    fields = list(known.fields)
    for field in sorted(mapping.fields, key=lambda field: field.bit):
        fields += [""] * (field.bit + 1 - len(fields))
        if fields[field.bit].lower() not in ("", field.name.lower()):
            raise FatalError(
                f"A run has changed the mapping since the verification began: {field.name} isn't "
                f"where it was. Verify again"
            )
        fields[field.bit] = fields[field.bit] or field.name
    runs.save_fields(cursor, known.sync_id, fields)
