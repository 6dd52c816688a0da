"""Rules about values that are kept for people."""

from __future__ import annotations

from tests.integration.people import test_changes_of_a_run
from tests.mutants.mutant import RUN, Mutant, gives

MUTANTS = [
    Mutant("Values of a change can be read in its own client's row only",
           {"contact_sync.contacts.sealed_values._bound": gives(b"")},
           test_changes_of_a_run.test_T02_values_are_kept_encrypted_where_the_definition_says_so),
    Mutant("Without its key no run keeps values",
           {f"{RUN}.check_setup._key_problems": gives(())},
           test_changes_of_a_run.test_T02_without_a_key_a_run_stops_before_anything_is_sent),
]  # fmt: skip
