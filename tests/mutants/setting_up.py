"""Rules about setting up a sync from the tables of a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contact_sync.base.findings import Area, Finding, Judgement
from contact_sync.base.vocabulary import RunKind
from tests.integration.changes import test_contract
from tests.integration.foreign import test_foreign_schemas, test_init_command, test_who_is_sent
from tests.integration.people import test_both_sides
from tests.integration.runs import test_trials
from tests.mutants.mutant import Mutant, gives, nothing
from tests.unit.airflow_edge import test_trigger_form
from tests.unit.config import test_files

SETUP = "contact_sync.b2core.setup"


def as_it_is(_veiled: Any, value: str | None) -> str:
    """Nothing is masked."""
    return value or ""


def first_of(_original: Any, _name: str, files: list[Path]) -> Path:
    """Whichever is sorted first."""
    return files[0]


def all_can_be_read(_original: Any, _snapshot: Any, _read: Any) -> Finding:
    """Without a look."""
    return Finding(Area.B2CORE, "clients.sql", Judgement.OK, "every value can be read")


MUTANTS = [
    Mutant("Who gave no consent is excluded",
           {f"{SETUP}.proposal.consent_rules": gives(())},
           test_who_is_sent.test_a_column_of_consent_excludes,
           {"column": "consent boolean", "sent": ["true"], "excluded": ["false", "NULL"]}),
    Mutant("Deleted clients are left out",
           {f"{SETUP}.proposal.deleted_rules": gives(())},
           test_who_is_sent.test_a_deleted_client_is_left_out,
           {"column": "deleted_at timestamptz", "there": ["NULL"], "gone": ["now()"]}),
    Mutant("Of two files of one sync the one that is called as it is used",
           {"contact_sync.config.files._the_one": first_of},
           test_files.test_S01_of_two_files_of_one_sync_none_is_used_if_their_names_do_not_tell),
    Mutant("Every value of a mapped column is read before the first run",
           {"contact_sync.b2core.contract._values": all_can_be_read},
           test_contract.test_what_a_row_breaks_off_is_told_without_the_row,
           {"column": "1 / (clients.id - clients.id)",
            "said": "(SQLSTATE 22012: division by zero)"}),
    Mutant("A consent that isn't understood is told",
           {f"{SETUP}.proposal.unused_marks": gives(())},
           test_who_is_sent.test_a_consent_that_is_not_understood_is_a_doubt),
    Mutant("Values are shown masked",
           {f"{SETUP}.told.veiled": as_it_is},
           test_foreign_schemas.test_a_foreign_schema_is_set_up_and_loaded,
           {"name": "one_table"}),
    Mutant("Values on the form of a sync are veiled",
           {"contact_sync.lookup.both_sides.veiled": as_it_is},
           test_both_sides.test_no_value_of_a_client_is_shown_whole),
    Mutant("No file is overwritten",
           {"contact_sync.cli.init.refuse_existing": nothing},
           test_init_command.test_nothing_is_overwritten, {"there": "syncs"}),
    Mutant("A trial needs a ledger that is believed",
           {"contact_sync.run.select_clients.trial_kind": gives(RunKind.INCREMENTAL)},
           test_trials.test_a_trial_needs_a_ledger_that_is_believed),
    Mutant("A trial of nobody is no run for all",
           {"contact_sync.airflow_edge.trigger_form._trial_refusal": nothing},
           test_trigger_form.test_a_trial_is_of_named_clients_or_of_so_many_and_removes_nobody),
]  # fmt: skip
