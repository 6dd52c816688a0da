"""Rules about who may write and send, and when a run is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from psycopg.types.json import Jsonb

from contact_sync.base.errors import BooksDontBalance
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.vocabulary import RunState
from contact_sync.postgres.cursor import Cursor
from contact_sync.state.runs import Run
from tests.integration.runs import (
    test_approvals,
    test_books_and_dry_runs,
    test_clocks,
    test_ended,
    test_run_protocol,
    test_small_run,
    test_undefined,
)
from tests.mutants.mutant import RUN, SENDING, STATE, Mutant, gives, nothing


def take_always(acquire: Callable[..., int], *args: Any, take_over: bool) -> int:
    """Whoever holds it."""
    del take_over
    return acquire(*args, take_over=True)


def prove_only(renew: Callable[..., None], cursor: Cursor, run: Run) -> None:
    """The lease ends when it would have ended anyway."""
    cursor.execute("SELECT lease_until FROM contact_sync.sync WHERE sync_id = %s", (run.sync_id,))
    before = (cursor.fetchone() or {})["lease_until"]
    renew(cursor, run)
    cursor.execute("UPDATE contact_sync.sync SET lease_until = %s", (before,))


def release_anybodys(_release: Any, cursor: Cursor, run: Run) -> None:
    """Whatever the epoch is by now."""
    cursor.execute(
        "UPDATE contact_sync.sync SET lease_holder = NULL, lease_until = NULL WHERE sync_id = %s",
        (run.sync_id,),
    )


def ends_none(*_: Any, **__: Any) -> list[int]:
    """Older runs run for ever."""
    return []


def told_by_none(*_: Any, **__: Any) -> dict[str, int]:
    """Whatever restrains a run."""
    return {}


def never_over(load: Callable[..., Run], *args: Any) -> Run:
    """An old run looks as if it were still at work."""
    return replace(load(*args), state=RunState.RUNNING)


def whoever_leads(
    _advance: Any, cursor: Cursor, run: Run, watermark: SourceSnapshot, _destination: Any
) -> None:
    """In a transaction of its own, without a look at the epoch."""
    cursor.execute(
        "UPDATE contact_sync.sync SET watermark = %s WHERE sync_id = %s",
        (Jsonb(watermark.to_json()), run.sync_id),
    )
    cursor.connection.commit()


def whatever_they_say(balance: Callable[..., dict[str, int]], *args: Any) -> dict[str, int]:
    """A client without a fate is nobody's business."""
    try:
        return balance(*args)
    except BooksDontBalance:
        return dict.fromkeys(
            ("selected", "confirmed", "pending", "rejected", "excluded", "gone"), 0
        )


ZOMBIE = test_run_protocol.test_O04_a_zombie_changes_nothing_after_a_take_over

MUTANTS = [
    Mutant("One run at a time takes the lease",
           {f"{STATE}.leases.acquire_lease": take_always},
           test_run_protocol.test_O02_a_busy_lease_is_not_taken),
    Mutant("The epoch is checked before every state write",
           {f"{STATE}.database._check_fence": nothing}, ZOMBIE, {"step": "select", "lane": "json"}),
    Mutant("The lease is proved before every effect outside",
           {f"{STATE}.leases.renew": nothing},
           test_run_protocol.test_O04_a_batch_of_a_run_that_was_ended_is_not_sent,
           {"lane": "json"}),
    Mutant("Every step extends the lease",
           {f"{STATE}.leases.renew": prove_only},
           test_run_protocol.test_O02_every_step_renews_the_lease),
    Mutant("What is stored ahead of the clock counts as now",
           {f"{RUN}.start_run.pull_back": nothing},
           test_clocks.test_N08_the_nightly_run_comes_a_day_after_the_next_run_at_the_latest,
           {"jump": test_clocks.DAY}),
    Mutant("A quarantine that began ahead of the clock begins now",
           {f"{STATE}.batches.pull_back": nothing, f"{RUN}.start_run.pull_back": gives(None)},
           test_clocks.test_N08_a_quarantine_ends_after_its_own_length,
           {"jump": test_clocks.DAY, "state": "settled", "when": "before the run"}),
    Mutant("Who ended a run is told",
           {f"{STATE}.leases.end_older_runs": ends_none},
           test_ended.test_N09_a_run_that_could_not_write_its_end_is_ended_by_the_next,
           {"why": "lease_run_out"}),
    Mutant("A sync without a definition restrains nobody in silence",
           {f"{RUN}.finish_run._restraints": told_by_none},
           test_undefined.test_R10_a_sync_without_a_definition_restrains_nobody_in_silence,
           {"same_list": True}),
    Mutant("A sync with a definition isn't forgotten",
           {"contact_sync.cli.syncs._refuse_defined": nothing},
           test_undefined.test_R10_the_commands_list_ask_and_refuse),
    Mutant("Only its holder frees a lease",
           {f"{STATE}.leases.release_lease": release_anybodys},
           test_books_and_dry_runs.test_O04_a_zombie_cannot_release_the_newer_runs_lease),
    Mutant("Steps of a run that is over are refused as such",
           {f"{STATE}.runs.read_run": never_over},
           test_run_protocol.test_O05_steps_of_a_run_that_is_over_are_refused),
    Mutant("What has begun to be sent isn't staged again",
           {f"{STATE}.batches.refuse_if_sent": nothing},
           test_run_protocol.test_O05_a_run_that_has_begun_to_send_is_not_read_again,
           {"step": "select"}),
    Mutant("A definition edited in mid-run stops the run",
           {f"{RUN}.start_run.definition_hash": gives("the same"),
            f"{RUN}.context.definition_hash": gives("the same")},
           test_run_protocol.test_O11_a_definition_edited_during_a_run_stops_it,
           {"step": "submit"}),
    Mutant("The watermark moves by compare-and-set on the epoch",
           {f"{STATE}.runs.advance_watermark": whoever_leads},
           ZOMBIE, {"step": "finish", "lane": "json"}),
    Mutant("The watermark moves when all batches are terminal",
           {f"{RUN}.finish_run._refuse_if_open": nothing},
           test_books_and_dry_runs.test_a_run_with_an_open_batch_cannot_finish),
    Mutant("The books must balance",
           {f"{RUN}.finish_run.balance": whatever_they_say},
           test_books_and_dry_runs.test_the_books_must_balance),
    Mutant("A plan above the limits isn't sent unapproved",
           {f"{SENDING}.submit.refuse_unapproved": nothing,
            f"{RUN}.removal_batches.refuse_unapproved": nothing},
           test_approvals.test_G5_too_many_changes_wait_for_a_person),
    Mutant("An approval is for the plan that was shown",
           {f"{STATE}.batches.drop_plan": nothing},
           test_approvals.test_G5_an_approval_is_for_one_plan,
           {"again": "stage", "after": "select"}),
    Mutant("A try that was killed while it sent is continued by the next",
           {f"{STATE}.batches.begun_by": nothing},
           test_small_run.test_P15_a_try_that_was_killed_while_it_sent_is_continued_by_the_next,
           {"point": "upserted_not_stored"}),
    Mutant("A failure of a run that has begun to send is told at once",
           {f"{RUN}.small_run._has_begun": gives(False)},
           test_small_run.test_P15_a_step_that_fails_is_taken_again_by_its_own_task),
]  # fmt: skip
