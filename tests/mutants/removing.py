"""Rules about whom a run may send, and about what it removes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from contact_sync.contacts.selection import EXCLUDED, Scan
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import removals, runs, staging, suppressions
from contact_sync.state.runs import Run
from contact_sync.sync import Sync
from tests.integration.changes import test_addresses, test_bad_rows, test_comings_and_goings
from tests.integration.people import test_suppressions_list
from tests.integration.removals import (
    test_exclusions,
    test_exclusions_first,
    test_looked_at,
    test_removals,
    test_suppressed,
)
from tests.integration.removals import test_removals_and_lists as on_lists
from tests.integration.removals import test_removed_by_hand as by_hand
from tests.integration.runs import test_plan_limits
from tests.integration.sending import test_suppressions
from tests.mutants.mutant import RUN, SENDING, STATE, Mutant, gives, nothing

Choose = Callable[..., pa.Table]


def everybody_wins(_lost: Any, scan: Scan, *_: Any) -> Any:
    """Nobody loses a shared address."""
    return np.zeros(len(scan.client_id), bool)


def exclusions_unheeded(
    decide: Callable[..., Any], clients: Any, scanned: Any, verdict: Any, *rest: Any, **how: Any
) -> Any:
    """They are read, and the clients sent."""
    clients = clients.assign(exclusion=None)
    return decide(clients, scanned, verdict & ~EXCLUDED, *rest, **how)


def nobody_suppressed(_kinds: Any, email_hash: Any, _hashes: Any) -> Any:
    """No address is suppressed."""
    return np.zeros(len(email_hash), np.int8)


def no_address(_addresses: Any, *_: Any) -> dict[int, str]:
    """Of no hash the address is known."""
    return {}


def each_for_itself(choose: Choose, scan: Scan, *rest: Any, **kind: Any) -> Any:
    """An exclusion counts for its own client only."""
    ids = scan.client_id[scan.excluded]
    table = choose(scan, *rest, **kind)
    excluded = np.isin(np.asarray(table.column("client_id")), ids)
    verdict = np.asarray(table.column("verdict"))
    verdict = np.where(excluded, verdict, verdict & ~EXCLUDED).astype(np.int8)
    return table.set_column(2, "verdict", pa.array(verdict))


def after_one_look(retire: Callable[..., None], cursor: Cursor, sync_id: int, _enough: int) -> None:
    """A client that was absent once is gone."""
    retire(cursor, sync_id, 1)


def nobody_while_held(select: Callable[..., int], sync: Sync, run: Run) -> int:
    """Absences that are too many hold up the others as well."""
    slices = select(sync, run)
    snapshot = runs.load_run(sync.state, run.run_id).snapshot
    assert snapshot is not None
    if not snapshot.held:
        return slices
    with sync.state.transaction() as cursor:
        staging.save_slices(cursor, run.run_id, [])
    return 0


class AnyNumber(int):
    """Equal to every number."""

    def __eq__(self, _other: object) -> bool:
        return True

    __hash__ = int.__hash__


def about_so_many(load: Callable[..., Run], *args: Any) -> Run:
    """Whoever approves removals approves them, however many they are."""
    run = load(*args)
    approved = None if run.approve_removals is None else AnyNumber(run.approve_removals)
    return replace(run, approve_removals=approved)


def former_first(plan: Callable[..., list[int]], sync: Sync, run: Run) -> list[int]:
    """Former contacts go before the new ones are sent."""
    with sync.state.transaction() as cursor:
        moved = suppressions.moved_clients(cursor, run.sync_id, run.run_id)
    ids = sync.sendgrid.contact_ids(list(moved.values())) if moved else {}
    if ids:
        sync.sendgrid.delete_contacts(sorted(ids.values()))
    return plan(sync, run)


def all_noted(_removable: Any, cursor: Cursor, run: tuple[int, int], whys: tuple[str, ...]) -> Any:
    """Whoever may need the address by now."""
    rows = many(
        cursor,
        """SELECT email, list_id, why, '{}'::text[] AS others FROM contact_sync.removal
           WHERE sync_id = %s AND why = ANY(%s) AND NOT kept""",
        (run[0], list(whys)),
    )
    return [removals.Removable(**row) for row in rows]


def off_the_former_list(leave: Callable[..., None], cursor: Cursor, sync: Sync, run: Run) -> None:
    """Whatever the definition says."""
    definition = sync.definition.model_copy(update={"on_list_change": "unlist"})
    leave(cursor, replace(sync, definition=definition), run)


def gives_none_open(_original: Any, *_: Any) -> dict[str, int]:
    """Nothing is open, nobody is kept back."""
    return {}


NEWLY_EXCLUDED = (
    test_removals.test_A09_F01_a_newly_excluded_client_leaves_the_list_before_anything_is_sent
)
MASS_ABSENCE = test_removals.test_A23_F05_G5_mass_absence_removes_nobody_and_holds_up_nothing

MUTANTS = [
    Mutant("Excluded clients are never uploaded",
           {f"{RUN}.compare.decide": exclusions_unheeded},
           test_removals.test_F01_excluded_and_moved_at_once),
    Mutant("Whom the definition excludes for a suppression isn't sent",
           {f"{RUN}.scan_clients.suppressed_kinds": nobody_suppressed},
           test_suppressed.test_F16_a_suppressed_client_leaves_and_comes_back_when_sendgrid_lifts_it,
           {"policy": "unlist"}),
    Mutant("An opt-out goes along from an address that was never sent",
           {f"{STATE}.suppressions._addresses": no_address},
           test_suppressed.test_F16_B03_a_suppressed_clients_new_address_gets_its_opt_out_first),
    Mutant("Nobody is sent while it isn't known who is suppressed",
           {f"{RUN}.read_suppressions._read": nothing},
           test_suppressions_list.test_F15_a_key_that_may_not_read_them_fails_the_run_and_says_what_to_do),
    Mutant("An exclusion on any client of a shared address wins",
           {f"{RUN}.select_clients.choose": each_for_itself},
           test_bad_rows.test_B04_an_exclusion_counts_for_everyone_with_the_address),
    Mutant("Excluded clients leave the list before anything is sent",
           {f"{RUN}.in_one_process.remove_excluded": gives(())},
           NEWLY_EXCLUDED, {"detection": "xmin"}),
    Mutant("The source is looked at again before an old plan is sent",
           {f"{SENDING}.prepare._hold_changed": nothing},
           test_comings_and_goings.test_F04_who_was_excluded_deleted_or_moved_since_the_reading_is_not_sent),
    Mutant("An exclusion waits for no approval of something else",
           {f"{RUN}.removal_batches.exclusions_go_unasked": gives(False)},
           test_exclusions_first.test_F06_F12_other_removals_above_the_limit_hold_no_exclusion),
    Mutant("Exclusions above the limit need an approval of their own",
           {f"{RUN}.removal_batches.exclusions_go_unasked": gives(True),
            f"{SENDING}.submit.exclusions_go_unasked": gives(True)},
           test_exclusions_first.test_F06_F12_exclusions_above_the_limit_wait_for_a_person),
    Mutant("Who takes an excluded client's address waits for its removal",
           {f"{SENDING}.prepare._hold_not_free": nothing},
           test_exclusions_first.test_F12_who_takes_the_address_waits_while_its_removal_may_still_work,
           {"policy": "unlist"}),
    Mutant("An opt-out is carried over before the new address is sent",
           {f"{SENDING}.prepare._suppress": nothing},
           test_suppressions.test_B03_the_opt_out_of_the_old_address_is_carried_over_first,
           {"lane": "json"}),
    Mutant("Who may be suppressed is held while nobody can tell",
           {f"{STATE}.suppressions.hold": nothing},
           test_suppressions.test_B03_a_key_without_the_scope_holds_the_client),
    Mutant("One client of a shared address wins, always the same",
           {"contact_sync.contacts.selection.lost_shared_address": everybody_wins},
           test_addresses.test_B04_of_two_clients_with_one_address_the_newest_wins,
           {"lane": "json"}),
    Mutant("The new address is confirmed before the old one goes",
           {f"{RUN}.in_one_process.remove_excluded": former_first},
           test_addresses.test_B01_the_old_contact_is_removed_after_the_new_one_exists,
           {"lane": "json"}),
    Mutant("An address that somebody has isn't removed",
           {f"{STATE}.removals._forget_taken": gives(True),
            f"{STATE}.removals.removable": all_noted},
           test_addresses.test_B02_a_swap_of_two_addresses_deletes_nothing, {"lane": "json"}),
    Mutant("What the policy keeps isn't removed",
           {"contact_sync.config.definition.SyncDefinition.removal_of": gives("delete")},
           test_addresses.test_B01_the_old_contact_is_kept_if_the_definition_says_so),
    Mutant("Contacts stay on a former list unless told otherwise",
           {f"{RUN}.find_removals._leave_former_lists": off_the_former_list},
           test_removals.test_another_list_in_the_definition, {"policy": "keep"}),
    Mutant("Two looks before a removal",
           {f"{STATE}.removals.retire_absent": after_one_look},
           test_removals.test_A08_F07_a_deleted_client_leaves_the_list_after_two_looks),
    Mutant("Mass absence removes nobody",
           {f"{RUN}.select_clients.absences_to_hold": gives(0)}, MASS_ABSENCE, {"how": "some"}),
    Mutant("Held removals hold up no upserts",
           {f"{RUN}.in_one_process.select_clients": nobody_while_held}, MASS_ABSENCE,
           {"how": "some"}),
    Mutant("Removals are approved by their exact number",
           {f"{STATE}.runs.read_run": about_so_many},
           test_removals.test_F06_a_person_approves_the_exact_number_of_absent_clients),
    Mutant("Every kind of removal counts before the limit",
           {f"{RUN}.plan_batches.removals_ahead": gives(0)},
           test_plan_limits.test_G5_addresses_given_up_for_a_shared_one_count_as_removals),
    Mutant("No more is removed than the plan named",
           {f"{RUN}.removal_batches._refuse_unplanned": nothing},
           test_plan_limits.test_G5_removals_that_the_plan_did_not_name_are_refused),
    Mutant("A removal counts when it is seen",
           {f"{SENDING}.poll_job.still_shown": gives(frozenset())},
           test_looked_at.test_F08_of_a_removal_that_failed_halfway_the_removed_ones_count),
    Mutant("Excluded clients that nobody has sent are looked up",
           {f"{RUN}.plan_batches.look_up_excluded": nothing},
           test_exclusions.test_F01_a_lost_state_database_forgets_no_exclusion),
    Mutant("What was seen of one list says nothing of another",
           {f"{SENDING}.excluded_contacts._forget_another_list": nothing},
           on_lists.test_F01_S13_who_was_excluded_meanwhile_is_not_on_a_list_that_is_taken_again,
           {"between": "Another list"}),
    Mutant("Exclusions that aren't carried out are told",
           {f"{RUN}.finish_run._undone": gives_none_open},
           test_exclusions.test_F01_an_exclusion_that_is_not_carried_out_is_told_by_every_run),
    Mutant("Who was removed by hand isn't brought back by a change",
           {f"{RUN}.plan_batches.leave_removed": gives_none_open},
           by_hand.test_F10_D09_as_long_as_the_search_may_lag_the_client_waits,
           {"what": "deleted", "lane": "json"}),
    Mutant("That many contacts are gone from SendGrid is nobody's wish without a word",
           {f"{SENDING}.removed_by_hand._refuse_many": nothing},
           by_hand.test_F10_a_list_that_has_lost_its_contacts_stops_the_run),
]  # fmt: skip
