"""Rules about a state database that is older than it should be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contact_sync.base.marks import Mark
from contact_sync.base.run_life import KindReason
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import identity
from contact_sync.state.runs import Run
from tests.integration.runs import test_renamed, test_unproven
from tests.mutants.mutant import RUN, STATE, Mutant, gives, nothing
from tests.unit.state import test_identity


def only_noted(_doubt: Any, cursor: Cursor, sync_id: int, why: KindReason, *_: Any) -> None:
    """Excluded clients that were looked up before stay so."""
    parameters = {"sync_id": sync_id, "why": why, "forgotten": False}
    cursor.execute(identity.SQL["doubt"], parameters)


def all_proven(_prove: Any, cursor: Cursor, sync_id: int, *_: Any) -> None:
    """Also those that the run hasn't sent."""
    cursor.execute(identity.SQL["prove"], {"sync_id": sync_id})


def never_asked_for(_doubt: Any, run: Run) -> KindReason | None:
    """A person's resend is one that only believes nothing."""
    return run.unproven


def open_is_whole(doubt_of: Any, known: identity.Known, mark: Mark | None) -> Any:
    """That the newest run has begun here is enough."""
    there = known.mark_is_open is not None
    return doubt_of(replace(known, mark_is_open=False if there else None), mark)


TWO = test_unproven.test_R13_two_state_databases_that_fill_one_account_are_noticed

MUTANTS = [
    Mutant("A state database that went back isn't believed",
           {f"{STATE}.identity.doubt_of": gives(None)},
           test_unproven.test_R11_it_is_not_over_before_a_run_has_succeeded),
    Mutant("Each run leaves its mark before it sends anything",
           {f"{RUN}.start_run.leave_mark": nothing}, TWO),
    Mutant("A mark that the state database doesn't know speaks against it",
           {f"{STATE}.identity._is_contradicted": gives(False)}, TWO),
    Mutant("After a restore excluded clients are looked up again",
           {f"{STATE}.identity.doubt": only_noted},
           test_unproven.test_R11_every_excluded_client_is_looked_up_at_once),
    Mutant("Nothing is sent while a forgotten request may take effect",
           {f"{STATE}.identity.seconds_since_forgotten": gives(None)},
           test_unproven.test_R11_nothing_is_sent_while_a_forgotten_request_may_take_effect),
    Mutant("Whom such a run can't send stays unproven",
           {f"{STATE}.identity.prove": all_proven},
           test_unproven.test_R11_a_client_that_b2core_does_not_hold_stays_unproven),
    Mutant("What a run wrote until its end is its own",
           {f"{STATE}.identity.renew": nothing},
           test_unproven.test_R12_what_an_administrator_does_is_no_restore,
           {"done": "VACUUM FULL contact_sync.ledger", "mark": False}),
    Mutant("Only a person's resend brings back who was removed by hand",
           {f"{RUN}.select_clients.doubt": never_asked_for},
           test_unproven.test_R11_who_was_removed_by_hand_stays_removed),
    Mutant("A server that lacks the newest run's end may lack what it did",
           {f"{STATE}.identity.doubt_of": open_is_whole},
           test_identity.test_R11_R12_why_a_ledger_is_not_believed,
           {"known": {"same_server": False, "mark_is_open": True}, "mark": test_identity.BEGUN,
            "why": "state_moved"}),
    Mutant("A restore that undoes a rename doesn't begin a sync anew",
           {f"{STATE}.identity.undone_rename": gives(None)},
           test_renamed.test_R11_R01_a_restore_to_before_the_rename_is_said),
]  # fmt: skip
