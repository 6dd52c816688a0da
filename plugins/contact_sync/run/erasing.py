"""Carry out what is left of an erasure in one sync; each step may be repeated after a crash.

First the state database loses what it has of the person, once nothing that began before the request
is at work: later runs know the tombstones. Then the contacts are deleted at SendGrid, and the
event data; the part ends with a look that finds nothing. SendGrid's search may lag behind its jobs:
a contact that was never found counts as not there only when it was sent long enough ago.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from contact_sync.base.arrays import among
from contact_sync.base.erasure_steps import ErasureStep, TombstoneKind
from contact_sync.base.errors import AuthError, RequestRefused, RetryableError, SyncError
from contact_sync.base.failpoints import reach
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.selection import Scan
from contact_sync.contacts.tombstones import stones_of
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.scan_clients import scan_clients
from contact_sync.run.sending.removal_targets import SEARCH_LAG_SECONDS
from contact_sync.run.sending.search import search
from contact_sync.sendgrid.api import MAX_LOOKUP
from contact_sync.sendgrid.refused_contacts import refused_by_answer
from contact_sync.state import erasures, hash_keys, leases, purging, tombstones
from contact_sync.state.erasures import Part, Step
from contact_sync.state.purging import Person
from contact_sync.state.runs import Run
from contact_sync.state.suppressed import address_hashes
from contact_sync.sync import Databases, Sync

log = logging.getLogger(__name__)
POLL_FIRST, POLL_MOST = 0.1, 5.0
"""Seconds between two looks: twice as long after each."""
SHOWN_SECONDS = 60.0
"""For so long a deletion that SendGrid has taken is looked for before it is left to the next run:
twice the lag that was seen."""
SCOPE = (
    "To erase event data the key needs the scope recipients.erasejob.create; accounts made before "
    "25 July 2023 get it from SendGrid's support"
)
"""As Twilio's page of the call says."""
IN_USE = (
    "a run or a verification that began before the request is under way; the next run goes on with "
    "the erasure when it is over"
)


def erase_part(sync: Sync, part: Part, run: Run | None = None) -> str | None:
    """Go on with an erasure in this sync as far as it can be; `run`: the run that does it.

    Returns why something is left to do, for people, None = nothing is. Raises SyncError when
    SendGrid or the state database can't do it now.
    """
    if not part.is_purged and not _purge(sync, part, run):
        return IN_USE
    with sync.state.transaction() as cursor:
        now = erasures.open_parts(cursor, part.sync_id, part.erasure_id)
    if not now:
        return None  # somebody else has ended it meanwhile
    (part,) = now
    if _delete_contacts(sync, part, run):
        return "SendGrid still shows a contact that it was told to delete; the next run looks again"
    if part.events_job is None:
        _erase_events(sync, part)
    return _last_look(sync, part)


@contextmanager
def _writing(sync: Sync, part: Part, run: Run | None) -> Iterator[Cursor]:
    """A transaction in which no run of the sync begins; within a run, one with its fence."""
    with sync.state.transaction(run.fence if run else None) as cursor:
        if run is None:
            leases.refuse_at_work(cursor, part.sync_id)
        yield cursor


def scanned(sync: Databases) -> Scan:
    """Id and address of every client in B2CORE."""
    hashing = sync.hashing()
    with sync.b2core.snapshot() as snapshot:
        return scan_clients(snapshot, hashing)


def held_in_b2core(scan: Scan, ids: Collection[int], hashes: Collection[int]) -> set[int]:
    """Those of the addresses that others have in B2CORE by now, which no run may have seen."""
    others = ~among(scan.client_id, np.array(list(ids), np.int64))
    theirs = among(scan.email_hash, np.array(list(hashes), np.int64))
    return set(scan.email_hash[others & theirs].tolist())


def _came_since(sync: Sync, part: Part, hashing: Hashing) -> dict[str, int]:
    """Addresses of the person, with their hashes, that the request didn't name, without those that
    others have by now. B2CORE is read only if there are any."""
    with sync.state.transaction() as cursor:
        person = _person(cursor, part)
        more = set(purging.addresses_of_clients(cursor, person)) - person.addresses.keys()
        found = dict(zip(sorted(more), address_hashes(sorted(more), hashing), strict=True))
        everywhere = erasures.persons_of(cursor, part.erasure_id)
        held = purging.held_by_others(cursor, [replace(one, addresses=found) for one in everywhere])
    if found:
        held |= held_in_b2core(scanned(sync), person.client_ids, found.values())
    return {email: h for email, h in found.items() if h not in held}


def _purge(sync: Sync, part: Part, run: Run | None) -> bool:
    """Delete what the state database has of the person; False = it is in use."""
    keys, hashing = sync.hash_keys(), sync.hashing()
    own = _came_since(sync, part, hashing)
    with _writing(sync, part, run) as cursor:
        if erasures.is_in_use(cursor, part, run.run_id if run else 0):
            return False
        hash_keys.hold(cursor, hashing)
        ids = (part.erasure_id, part.sync_id)
        erasures.create_part(cursor, ids, (), own)
        how = (hashing, keys.for_tombstones(hashing))
        stones = stones_of(TombstoneKind.ADDRESS, how, list(own.values()), list(own))
        tombstones.put_up(cursor, part.erasure_id, None, stones)
        gone = purging.purge(cursor, _person(cursor, part))
        erasures.note_purged(cursor, part)
        name = sync.definition.name
        step = Step(ErasureStep.PURGED, name, numbers=gone)
        erasures.record(cursor, part.erasure_id, step, keys.current)
        reach("purge_uncommitted")
    reach("purged")
    return True


def _person(cursor: Cursor, part: Part) -> Person:
    addresses = {one.email: one.email_hash for one in erasures.addresses_of(cursor, part)}
    return Person(part.sync_id, tuple(erasures.clients_of(cursor, part)), addresses)


def _delete_contacts(sync: Sync, part: Part, run: Run | None) -> bool:
    """Delete what SendGrid shows of the person's contacts; returns whether it still shows any."""
    shown = _shown(sync, part)
    if not shown:
        return False
    emails = sorted(shown)
    for start in range(0, len(emails), MAX_LOOKUP):
        some = emails[start : start + MAX_LOOKUP]
        job_id = sync.sendgrid.delete_contacts([shown[email] for email in some])
        reach("contacts_deleted_not_stored")
        with sync.state.transaction() as cursor:
            erasures.note_deletion(cursor, part, some, job_id)
            numbers = {"contacts": len(some)}
            _record(cursor, sync, part, Step(ErasureStep.CONTACTS_DELETED, numbers=numbers,
                                             job_id=job_id))  # fmt: skip
        reach("contacts_deleted")
    until, pause = time.monotonic() + SHOWN_SECONDS, POLL_FIRST
    while shown := _shown(sync, part):
        if time.monotonic() > until:
            with sync.state.transaction() as cursor:
                numbers = {"contacts": len(shown)}
                _record(cursor, sync, part, Step(ErasureStep.STILL_SHOWN, numbers=numbers))
            return True
        if run is not None:
            leases.renew_lease(sync.state, run)
        time.sleep(pause)
        pause = min(2 * pause, POLL_MOST)
    return False


def _shown(sync: Sync, part: Part) -> dict[str, str]:
    """Address → contact id of those that SendGrid shows."""
    with sync.state.transaction() as cursor:
        emails = [one.email for one in erasures.addresses_of(cursor, part)]
    found: dict[str, str] = {}
    for start in range(0, len(emails), MAX_LOOKUP):
        contacts, _ = search(sync, emails[start : start + MAX_LOOKUP])
        found |= {email: str(contact["id"]) for email, contact in contacts.items()}
    return found


def _erase_events(sync: Sync, part: Part) -> None:
    """Ask for the erasure of event data, once; addresses that SendGrid takes for none, of which it
    can have no event, are left out."""
    with sync.state.transaction() as cursor:
        emails = [one.email for one in erasures.addresses_of(cursor, part)]
    job_id, refused = None, 0
    while emails and job_id is None:
        try:
            job_id = sync.sendgrid.erase_events(emails)
        except AuthError as error:
            raise AuthError(f"{error}. {SCOPE}") from None
        except RequestRefused as error:
            named = refused_by_answer(error, emails)
            left = [email for email in emails if email not in named]
            if len(left) == len(emails):
                raise
            refused, emails = refused + len(emails) - len(left), left
    reach("events_erased_not_stored")
    with sync.state.transaction() as cursor:
        erasures.note_events_job(cursor, part, job_id or "-")
        numbers = {"addresses": len(emails)} | ({"refused": refused} if refused else {})
        step = Step(ErasureStep.EVENTS_ERASED, numbers=numbers, job_id=job_id)
        _record(cursor, sync, part, step)
    reach("events_erased")


def _last_look(sync: Sync, part: Part) -> str | None:
    """End the part if nothing is there, and nothing can come any more; else say what is awaited."""
    with sync.state.transaction() as cursor:
        addresses = erasures.addresses_of(cursor, part)
    left = SEARCH_LAG_SECONDS - (part.seconds_since_sent or 0.0)
    unseen = [one for one in addresses if not one.deleted]
    if unseen and part.seconds_since_sent is not None and left > 0:
        return (
            f"{len(unseen):,} of {len(addresses):,} addresses were not found, which is no proof "
            f"for {left:.0f} s more: SendGrid's search lags behind what was sent"
        )
    if _shown(sync, part):
        raise RetryableError("SendGrid shows a contact again that it had deleted")
    with sync.state.transaction() as cursor:
        step = Step(ErasureStep.NOT_FOUND, numbers={"addresses": len(addresses)})
        _record(cursor, sync, part, step)
        if erasures.end_part(cursor, part):
            _record(cursor, sync, part, Step(ErasureStep.FINISHED))
        reach("erasure_end_uncommitted")
    reach("erasure_ended")
    return None


def _record(cursor: Cursor, sync: Sync, part: Part, step: Step) -> None:
    named = Step(step.what, sync.definition.name, None, None, step.numbers, step.job_id)
    erasures.record(cursor, part.erasure_id, named, sync.hash_keys().current)


def continue_part(sync: Sync, part: Part, run: Run | None = None) -> str | None:
    """The same as `erase_part`, and why it doesn't go on is kept for people; errors don't leave."""
    try:
        why = erase_part(sync, part, run)
    except SyncError as error:
        why = str(error)
    if why is not None:
        log.warning("Erasure %s isn't finished: %s", part.erasure_id[:8], why)
    with sync.state.transaction() as cursor:
        erasures.note_cause(cursor, part.erasure_id, why)
    return why
