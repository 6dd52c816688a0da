"""Rules of verifications: a race is no difference, and a difference is no race."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from contact_sync.base.arrays import Mask
from contact_sync.base.verdicts import unequal
from contact_sync.contacts.selection import Scan
from contact_sync.verify.compare_sides import compare_sides
from contact_sync.verify.look_again import Seen
from tests.integration.verify import (
    test_edits_by_hand,
    test_exports,
    test_killed,
    test_races,
    test_verdicts,
)
from tests.mutants.mutant import STATE, Mutant, gives, nothing

VERIFY = "contact_sync.verify"


def nobody(_are_looked_at: Any, scan: Scan, *_: Any) -> Mask:
    """No client waits for a run."""
    return np.zeros(len(scan.client_id), bool)


def as_it_was(_is_as_before: Any, clients: pd.DataFrame, *_: Any) -> Mask:
    """B2CORE's rows are those that were read."""
    return np.ones(len(clients), bool)


def as_if_loaded(_has_both: Any, *_: Any) -> bool:
    """What was stored is there."""
    return True


def all_of(_without_erased: Any, _sync: Any, scan: Scan) -> Scan:
    """Whoever was erased is a client as any other."""
    return scan


def whoever_waits(_is_equal: Any, counts: dict[str, int]) -> bool:
    """Nothing is wrong with who waits for a run."""
    return unequal(counts) == 0


def no_drift(_field_drift: Any, *_: Any, **__: Any) -> dict[str, str]:
    """Nobody has renamed a field."""
    return {}


def none_waits(drop_races: Any, cursor: Any, found: Any, numbers: Any, _waiting: Any) -> None:
    """Who is no difference is equal."""
    drop_races(cursor, found, numbers, ())


def as_exported(give_up_races: Any, *of: Any, is_believed: bool) -> None:
    """An export is right, whatever looks have shown."""
    del is_believed
    give_up_races(*of, is_believed=True)


MUTANTS = [
    Mutant("Who waits for a run isn't different",
           {f"{VERIFY}.b2core_side.are_looked_at": nobody},
           test_verdicts.test_who_waits_for_a_run_is_no_difference),
    Mutant("What differs is looked at again",
           {f"{VERIFY}.compare_sides.look_again": nothing},
           test_exports.test_contacts_that_an_export_lacks_are_looked_up),
    Mutant("What a look shows to be wrong stays a difference",
           {f"{VERIFY}.look_again._judge_client": gives(Seen.EQUAL)},
           test_races.test_a_damage_beside_a_race_is_found),
    Mutant("What a client calls for by now isn't compared with what its hash was of",
           {f"{VERIFY}.unequal_clients._is_as_before": as_it_was},
           test_races.test_who_changes_between_both_sides_waits),
    Mutant("Races that weren't looked at can't be compared",
           {f"{STATE}.rechecking.give_up_races": nothing},
           test_races.test_races_that_are_too_many_to_be_looked_at_cant_be_compared),
    Mutant("An export that is there is used again",
           {f"{VERIFY}.begin_verification._why_not_continued": gives("a mutant")},
           test_killed.test_whoever_was_replaced_writes_nothing_more),
    Mutant("Sides that the database has lost aren't compared",
           {f"{STATE}.sides.has_both": as_if_loaded},
           test_exports.test_sides_that_the_database_has_lost_are_read_again,
           {"step": compare_sides}),
    Mutant("Whoever was erased has no right to a contact",
           {f"{VERIFY}.look_again.without_erased": all_of},
           test_verdicts.test_a_contact_of_somebody_erased_is_foreign),
    Mutant("Whoever changes while both sides are compared isn't equal",
           {f"{STATE}.rechecking.drop_races": none_waits},
           test_races.test_V11_who_changes_meanwhile_isnt_confirmed_by_a_rebuild,
           {"at": "before they are compared"}),
    Mutant("An export that looks contradict isn't believed",
           {f"{STATE}.rechecking.give_up_races": as_exported},
           test_races.test_contacts_that_an_export_lacks_arent_missing_although_few_are_looked_up),
    Mutant("Where everybody waits for a run, nothing is called equal",
           {f"{STATE}.verifications.is_equal": whoever_waits},
           test_edits_by_hand.test_V10_a_list_deleted_with_its_contacts_is_not_called_equal),
    Mutant("A field that was renamed isn't called missing",
           {f"{VERIFY}.begin_verification.field_drift": no_drift},
           test_edits_by_hand.test_V10_what_is_renamed_by_hand_is_told_as_such),
]  # fmt: skip
