"""Rules about what counts as a try of a contact, and about rejections that are looked up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contact_sync.postgres.cursor import Cursor
from contact_sync.state import batch_contacts, settling
from tests.integration.sending import test_looks, test_taken_back
from tests.mutants.mutant import RUN, SENDING, STATE, Mutant, gives, nothing


def every_postponement_counts(
    postpone: Callable[..., int], cursor: Cursor, batch_id: int, reason: Any, emails: Any
) -> int:
    """Whatever a job was, it was a try of each contact that it had."""
    n = postpone(cursor, batch_id, reason, emails)
    everybody = batch_contacts.contact_sample(cursor, batch_id, 30_000)
    with_all = emails or [row.email for row in everybody]
    cursor.execute(settling.SQL["count_look"],
                   {"batch_id": batch_id, "emails": with_all, "least": 0})  # fmt: skip
    return n


MUTANTS = [
    Mutant("A contact that no job tells of isn't tried",
           {f"{STATE}.settling._postpone": every_postponement_counts},
           test_looks.test_D16_what_tells_nothing_of_a_contact_is_no_try_of_it,
           {"lane": "json", "silent": test_looks.fails_as_a_whole}),
    Mutant("Counts say whether SendGrid looked at a contact",
           {f"{SENDING}.settle_upsert.looked_at": gives(True)},
           test_looks.test_D16_what_tells_nothing_of_a_contact_is_no_try_of_it,
           {"lane": "json", "silent": test_looks.counts_nothing}),
    Mutant("Who is sent in vain again and again is sent alone",
           {f"{STATE}.staging.in_vain": gives(())},
           test_looks.test_D16_who_is_sent_in_vain_again_and_again_is_sent_alone,
           {"lane": "json"}),
    Mutant("A contact whose jobs never end is rejected in the end",
           {f"{STATE}.settling._count_look": gives(0)},
           test_looks.test_D16_D03_a_contact_whose_jobs_never_end_is_rejected_and_holds_nobody_up),
    Mutant("A rejection that a look disproves is taken back",
           {f"{RUN}.select_clients.take_back": nothing},
           test_taken_back.test_D17_a_contact_that_is_right_all_the_same_is_confirmed,
           {"lane": "json", "kind": "incremental"}),
    Mutant("A rejection is taken back for a contact that is right as a whole",
           {f"{SENDING}.rejected_contacts.holds": gives(True)},
           test_taken_back.test_D17_a_value_that_b2core_does_not_have_is_another_value),
]  # fmt: skip
