"""Rules about what databases do to a source: fields emptied, servers and tables replaced, ids given
to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from contact_sync.b2core import replaced
from contact_sync.contacts.persons import Persons
from tests.integration.changes import (
    test_rejected_representatives,
    test_replaced_tables,
    test_reused_ids,
    test_tables_of_other_kinds,
)
from tests.integration.runs import test_clear_limits
from tests.mutants.mutant import RUN, STATE, Mutant, gives, nothing
from tests.unit.run import test_select_clients


def nothing_emptied(_emptied: Any, *_: Any) -> Counter[str]:
    """Nobody loses a value."""
    return Counter()


def nobody(compare: Callable[..., Persons], *args: Any) -> Persons:
    """Whoever has an id has always had it."""
    return replace(compare(*args), others=np.empty(0, np.int64))


def untold(fill: Callable[..., None], *args: Any, **options: Any) -> None:
    """The outbox, without whom its contacts belong to."""
    fill(*args, **options | {"persons": False})


def of_a_crowd(count_having: Callable[..., dict[str, int]], *args: Any) -> dict[str, int]:
    """As if many more had the field."""
    return {name: n + 1_000 for name, n in count_having(*args).items()}


def only_what_is_named(marks: Callable[..., dict[str, str]], *args: Any, **options: Any) -> Any:
    """Marks of tables, and of nothing below a view or in a partition."""
    below = "SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = used.oid"
    with pytest.MonkeyPatch.context() as patch:
        shallow = replaced.BELOW.replace(below, f"{below} AND FALSE")
        patch.setattr(replaced, "BELOW", shallow.replace("v.relkind = 'v'", "FALSE"))
        return marks(*args, **options)


def without_columns(marks: Callable[..., dict[str, str]], *args: Any, **options: Any) -> Any:
    """Marks of files, and of nothing that is in them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaced, "_COLUMNS", "NULL")
        return marks(*args, **options)


MUTANTS = [
    Mutant("A field that is emptied in many contacts is a matter of limits",
           {f"{RUN}.counting._emptied": nothing_emptied},
           test_clear_limits.test_R05_a_field_that_is_mapped_to_an_empty_column_is),
    Mutant("The share of a field is of the contacts that have it",
           {f"{STATE}.ledger.count_having": of_a_crowd},
           test_clear_limits.test_R05_few_may_lose_a_value),
    Mutant("A server that was started again makes the run full",
           {f"{RUN}.run_kind.are_others": gives(False)},
           test_select_clients.test_A15_A16_R06_when_a_run_has_to_be_full,
           dict(zip(("state", "position", "why"), test_select_clients.RESTARTED, strict=True))),
    Mutant("Whoever is rejected leaves the address to the next one, in the same run",
           {f"{RUN}.plan_batches.stage_heirs": nothing},
           test_rejected_representatives
           .test_R08_an_older_client_represents_the_address_in_the_same_run,
           {"lane": "json", "bad": 1}),
    Mutant("A client that stays rejected is passed over",
           {"contact_sync.contacts.selection.rejected_before": gives(None)},
           test_rejected_representatives.test_R08_the_contact_stays_when_a_newcomer_is_rejected,
           {"lane": "json"}),
    Mutant("An id with another address and another key is another person's",
           {f"{RUN}.stage_clients.compare_persons": nobody},
           test_reused_ids.test_R09_an_opt_out_stays_with_the_person_who_said_it),
    Mutant("The ledger's row of a contact says whom it belongs to",
           {f"{STATE}.staging.fill_outbox": untold},
           test_reused_ids.test_R09_a_first_load_notes_persons_with_their_rows),
    Mutant("Rows of the ledger that don't say whom a contact belongs to are noted",
           {f"{STATE}.persons.note": nothing},
           test_reused_ids.test_R09_a_key_that_is_told_later_is_noted_once_and_sends_nothing),
    Mutant("A table that was emptied between two runs makes the run full",
           {f"{RUN}.run_kind.differing": gives(())},
           test_tables_of_other_kinds.test_R07_a_table_emptied_between_two_runs_makes_the_run_full),
    Mutant("What is below a view or in a partition belongs to it",
           {"contact_sync.b2core.reader.marks": only_what_is_named},
           test_tables_of_other_kinds.test_R03_whatever_replaces_rows_while_they_are_read_is_noticed,
           dict(zip(("kind", "happens"), test_tables_of_other_kinds.BELOW, strict=True))),
    Mutant("A column that has other values, although no row was written, makes the run full",
           {"contact_sync.b2core.reader.marks": without_columns},
           test_replaced_tables
           .test_R07_a_column_with_other_values_in_rows_that_nobody_wrote_makes_the_run_full,
           {"happens": "a label of its enum"}),
]  # fmt: skip
