"""Rules about what SendGrid refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from contact_sync.base.vocabulary import PendingReason
from contact_sync.postgres.cursor import Cursor
from contact_sync.sendgrid.refused_contacts import Complaint
from contact_sync.state import batch_contacts, settling
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync
from tests.integration.runs import test_two_tries
from tests.integration.sending import test_jobs, test_refusals, test_refused_values
from tests.mutants.mutant import SENDING, STATE, Mutant, nothing


def all_named(_found: Any, _error: Any, emails: list[str]) -> list[Complaint]:
    """A 400 is about everybody."""
    return [Complaint("not valid", "", email) for email in emails]


def by_place(found: Callable[..., list[Complaint]], error: Any, emails: list[str]) -> Any:
    """Whoever stands at the place that is given is the one."""
    return [
        replace(one, email=emails[one.place]) if one.place is not None else one
        for one in found(error, emails)
    ]


def by_what_is_left(
    goes_on: Callable[..., bool], sync: Sync, run: Run, batch: Batch, _sent: Any, *how: Any
) -> bool:
    """A refusal is about the contacts that the batch has when it is looked at."""
    with sync.state.transaction() as cursor:
        left = batch_contacts.batch_columns(cursor, batch.batch_id)
    assert left is not None
    return goes_on(sync, run, batch, left.contacts(), *how)


def held_instead(_refuse: Any, cursor: Cursor, batch_id: int, _: Any) -> None:
    """A contact that was refused by itself is tried again by every run."""
    settling.hold(cursor, batch_id, None, PendingReason.REQUEST_REFUSED)


MUTANTS = [
    Mutant("A 400 costs the addresses that it names and no others",
           {f"{SENDING}.send_json.complaints": all_named},
           test_jobs.test_C09_a_400_that_names_addresses_rejects_these_and_sends_the_others,
           {"key": "email"}),
    Mutant("A place without an address is tried before it is believed",
           {f"{SENDING}.send_json.complaints": by_place},
           test_refusals.test_C09_an_address_wins_over_the_place_and_a_place_alone_is_tried,
           {"places": "first", "says": "no"}),
    Mutant("A refusal is about what the try has sent",
           {f"{SENDING}.send_json._goes_on": by_what_is_left},
           test_two_tries.test_O04_a_refusal_is_about_what_the_try_has_sent,
           {"field": ""}),
    Mutant("Whoever is refused by itself, while others are taken, is rejected",
           {f"{STATE}.confirming.refuse": held_instead},
           test_refusals.test_C16_one_contact_that_a_refusal_does_not_name_stops_nobody_else,
           {"how": "field empty"}),
    Mutant("A size that was refused isn't tried again in the run",
           {f"{STATE}.runs.learn_size": nothing},
           test_refusals.test_C17_a_limit_below_ours_is_met_with_smaller_batches,
           {"too_large": "413"}),
    Mutant("A value that was refused is remembered",
           {f"{STATE}.refused_values.remember": nothing},
           test_refused_values.test_D15_a_refused_value_is_left_out_and_counted,
           {"lane": "json", "by": "row", "row_error": "row"}),
]  # fmt: skip
