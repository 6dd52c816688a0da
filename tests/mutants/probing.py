"""Rules of probes, and of runs that rely on what a probe has seen."""

from __future__ import annotations

from typing import Any

from contact_sync.contacts.known_account import ByCsv
from tests.integration.probe import test_cleaning, test_faults
from tests.integration.sending import test_known_account
from tests.mutants.mutant import RUN, Mutant, gives, nothing

PROBE = "contact_sync.probe"


def of_everything(_by_csv: Any, *_: Any) -> ByCsv:
    """As if every empty cell were known to clear."""
    return ByCsv(clears=~0, negatives=True)


def unseen(_contradicted: Any, *_: Any) -> dict[str, str]:
    """Nothing is compared with the profile."""
    return {}


MUTANTS = [
    Mutant("A probe takes away only what it has made",
           {f"{PROBE}.cleaning._is_own": gives(True)},
           test_cleaning.test_Q04_somebody_elses_contact_with_a_probes_address_is_left_alone),
    Mutant("A probe stops where something has its names or addresses",
           {f"{PROBE}.run_probe._check_free": nothing},
           test_cleaning.test_Q04_names_that_are_taken_stop_it_before_it_touches_anything,
           {"what": "contact"}),
    Mutant("Files clear only where an empty cell is known to clear",
           {f"{RUN}.stage_clients.by_csv": of_everything},
           test_known_account.test_Q07_they_go_by_json_unless_that_is_certain, {"answer": "keep"}),
    Mutant("No file goes to an account that loses rows with empty cells",
           {f"{RUN}.cut_batches.takes_empty_cells": gives(True)},
           test_known_account.test_no_file_is_sent_to_an_account_that_loses_rows_with_empty_cells),
    Mutant("Nothing is concluded before searches show what was sent",
           {f"{PROBE}.account.Account.settle": nothing},
           test_faults.test_Q02_while_searches_show_nothing_new_nothing_is_concluded),
    Mutant("What an earlier probe made is deleted only in its account",
           {f"{PROBE}.cleaning.check_account": nothing,
            f"{PROBE}.run_probe.check_account": nothing},
           test_faults.test_Q05_notes_of_another_account_delete_nothing),
    Mutant("A text that files don't clear is told by a verification",
           {"contact_sync.verify.look_again.is_uncleared": gives(False)},
           test_known_account
           .test_Q08_a_text_that_files_dont_clear_any_more_is_reported_by_a_verification),
    Mutant("What contradicts a profile is reported",
           {f"{RUN}.profile_drift.contradicted": unseen},
           test_known_account.test_Q08_what_contradicts_the_profile_is_reported),
]  # fmt: skip
