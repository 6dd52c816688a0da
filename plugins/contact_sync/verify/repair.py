"""Have the next run repair what a verification has found.

Clients are marked as pending and contacts are noted for removal: whatever a run does with these it
does with them, under the same limits and approval. Nothing is sent here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from contact_sync.base.errors import ConfigError, LeaseBusy
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.verify import Foreign
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import identity, leases, repairs, runs, verifications
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
T = TypeVar("T")
LEASE_PAUSE = 15.0
"""Seconds between two looks whether a run that is at work has come to its end."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What the next run has to do: clients to send, contacts to remove, of foreign ones those to
    take off the list; `foreign_left`: foreign ones on the list that nobody has approved."""

    to_send: int
    to_remove: int
    foreign: int
    foreign_left: int


def repair(
    sync: Sync, verification_id: int | None = None, *, approve_foreign: int | None = None
) -> Repaired:
    """Mark what the verification (None: the sync's newest) has found; repeating it marks nothing
    twice.

    `approve_foreign`: a person allows exactly so many contacts to be taken off the list that the
    sync never had. Raises LeaseBusy while a run is at work; ConfigError when nothing was verified
    within the days for which findings are kept, or foreign contacts are to stay by the definition.
    """
    foreign = sync.definition.verify.foreign
    if approve_foreign is not None and foreign is Foreign.KEEP:
        raise ConfigError(
            "Foreign contacts stay on the list: the definition says `verify.foreign: keep`. Say "
            "`unlist` there first"
        )
    sync.state.check_schema()
    with sync.state.transaction() as cursor:
        sync_id = runs.ensure_sync(cursor, sync.definition.name).sync_id
        leases.refuse_at_work(cursor, sync_id)
        found = verification_id or _newest(cursor, sync.definition, sync_id)
        done = Repaired(
            to_send=repairs.send_again(cursor, sync_id, found),
            to_remove=repairs.note_unentitled(cursor, sync_id, found),
            foreign=_take_foreign_off(cursor, sync_id, found, approve_foreign),
            foreign_left=repairs.count_foreign(cursor, found) if foreign is Foreign.UNLIST else 0,
        )
        identity.renew(cursor, sync_id)
        reach("repair_uncommitted")
    for line in told(done, sync.definition.name):
        log.info("%s", line)
    return done


def told(done: Repaired, name: str) -> list[str]:
    """What was marked and what is left to a person, a sentence each."""
    lines = [
        f"The next run sends {count(done.to_send, 'client')} again and removes "
        f"{count(done.to_remove, 'contact')} without a right to be there"
    ]
    if done.foreign:
        lines.append(f"It takes {count(done.foreign, 'foreign contact')} off the list")
    if done.foreign_left:
        lines.append(
            f"{count(done.foreign_left, 'foreign contact is', 'foreign contacts are')} on the "
            f"list, and "
            f"nothing is done about that: `python -m contact_sync repair {name} "
            f"--approve-foreign {done.foreign_left}` takes exactly so "
            f"many off"
        )
    return lines


def waiting_for_lease(step: Callable[[], T], minutes: float) -> T:
    """The result of a step; while a run is at work it is tried again, for so long at most."""
    until = time.monotonic() + minutes * 60
    while True:
        try:
            return step()
        except LeaseBusy as busy:
            if time.monotonic() + LEASE_PAUSE > until:
                raise
            log.info("%s. Trying again in %.0f s", busy, LEASE_PAUSE)
        time.sleep(LEASE_PAUSE)


def _newest(cursor: Cursor, definition: SyncDefinition, sync_id: int) -> int:
    name, days = definition.name, definition.retention.findings
    found = verifications.newest(cursor, sync_id, only_succeeded=True)
    if found is None:
        raise ConfigError(
            f"Nothing can be repaired: no verification of {name!r} has come to its end. Run "
            f"`python -m contact_sync verify {name}` first"
        )
    if days is not None and found.age_hours > days * 24:
        raise ConfigError(
            f"Verification {found.verification_id} of {name!r} is older than {count(days, 'day')} "
            f"(`retention.findings`): what it found is kept no longer. Run `python -m contact_sync "
            f"verify {name}` first"
        )
    log.info("Verification %d, begun %.1f hours ago", found.verification_id, found.age_hours)
    return found.verification_id


def _take_foreign_off(
    cursor: Cursor, sync_id: int, verification_id: int, approved: int | None
) -> int:
    if approved is None:
        return 0
    found = repairs.count_foreign(cursor, verification_id)
    if found != approved:
        log.warning("%s on the list, not %s: none is taken off",
                    count(found, "foreign contact is", "foreign contacts are"),
                    f"{approved:,}")  # fmt: skip
        return 0
    return repairs.note_foreign(cursor, sync_id, verification_id)
