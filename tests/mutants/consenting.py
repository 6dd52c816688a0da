"""Rules about consents that are withdrawn in B2CORE and have to hold at SendGrid, too."""

from __future__ import annotations

from typing import Any

import numpy as np

from contact_sync.postgres.cursor import Cursor, rows_as
from contact_sync.state import suppressions_due
from contact_sync.state.suppressions_due import Due
from tests.integration.removals import test_suppress_excluded, test_suppressed
from tests.mutants.mutant import RUN, SENDING, STATE, Mutant, gives, nothing


def as_noted(_due: Any, cursor: Cursor, sync_id: int, _run_id: int) -> list[Due]:
    """What is noted is done, whatever has become of the client and of its address."""
    return rows_as(Due, cursor, suppressions_due.SQL["due"], {"sync_id": sync_id})


def as_accepted(_shown: Any, _sync: Any, _run: Any, emails: list[str], _since: int) -> set[str]:
    """SendGrid's answer is believed."""
    return set(emails)


def as_read(_still: Any, _sync: Any, found: list[Due]) -> list[Due]:
    """B2CORE isn't asked again."""
    return found


def none_new(_suppressed: Any, _sync: Any, _run: Any) -> Any:
    """SendGrid isn't asked again."""
    return np.empty(0, np.int64)


MUTANTS = [
    Mutant("Whom B2CORE excludes is unsubscribed before the contact leaves",
           {f"{RUN}.removal_batches.suppress_excluded": nothing},
           test_suppress_excluded.test_F17_the_address_is_unsubscribed_before_the_contact_leaves,
           {"policy": "unlist"}),
    Mutant("Another client's address isn't unsubscribed",
           {f"{STATE}.suppressions_due.due": as_noted},
           test_suppress_excluded.test_F17_B02_another_clients_address_is_left_alone),
    Mutant("An opt-out is done when SendGrid shows it",
           {f"{SENDING}.suppress_excluded._shown": as_accepted},
           test_suppress_excluded.test_F17_only_what_sendgrid_shows_is_done),
    Mutant("Who agrees again before it happens isn't unsubscribed",
           {f"{SENDING}.suppress_excluded._still_excluded": as_read},
           test_suppress_excluded.test_F17_who_agrees_again_before_it_happens_is_not_unsubscribed),
    Mutant("Whom SendGrid suppresses while a plan waits isn't sent",
           {f"{SENDING}.prepare._newly_suppressed": none_new},
           test_suppressed.test_F16_who_is_suppressed_while_a_person_is_asked_is_not_sent,
           {"since": None}),
    Mutant("Whom a run only unsubscribes counts against the limit",
           {f"{RUN}.find_removals._only_unsubscribed": gives(0)},
           test_suppress_excluded.test_F17_F06_too_many_at_once_wait_for_a_person,
           {"policy": "keep"}),
]  # fmt: skip
