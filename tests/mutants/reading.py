"""Rules about what a run reads and whom it looks at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import rows_of
from contact_sync.base.client_life import Fate
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts.ledger_rows import KnownClients
from contact_sync.contacts.selection import Scan
from contact_sync.contacts.transform import Dropped, Transformed
from contact_sync.postgres.cursor import Cursor
from contact_sync.state.runs import SyncState
from tests.integration.changes import (
    test_addresses,
    test_changes,
    test_dropped_values,
    test_mapping_changes,
    test_replaced_tables,
    test_times,
)
from tests.integration.removals import test_removals
from tests.integration.runs import test_setup
from tests.integration.sending import test_jobs, test_retries
from tests.mutants.mutant import RUN, STATE, Mutant, nothing

Choose = Callable[..., pa.Table]
Decide = Callable[..., tuple[RunKind, str]]


def nothing_lacks(_contract_problems: Any, *_: Any) -> list[str]:
    """Whatever the columns are."""
    return []


def nothing_has_changed(_field_drift: Any, *_: Any, **__: Any) -> dict[str, str]:
    """Whatever somebody did at SendGrid."""
    return {}


def newest_transaction(position: Callable[..., SourceSnapshot], snapshot: Any) -> SourceSnapshot:
    """What was still open during the last run is taken for read."""
    found = position(snapshot)
    return replace(found, horizon=found.next_xid)


def moment_of_each_statement(execute: Callable[..., None], connection: Any, sql: str,
                             what: str) -> None:  # fmt: skip
    """Every statement sees what is committed by then."""
    execute(connection, sql.replace("ISOLATION LEVEL REPEATABLE READ ", ""), what)


def never_too_old(decide: Decide, definition: Any, asked: Any, known: SyncState, *rest: Any,
                  **how: Any) -> Any:  # fmt: skip
    """The last full run seems to be of just now."""
    return decide(definition, asked, replace(known, full_age_hours=0.0), *rest, **how)


def any_mapping(decide: Decide, definition: Any, asked: Any, known: SyncState, position: Any,
                version: str, **how: Any) -> Any:  # fmt: skip
    """The last run seems to have had the same."""
    return decide(
        definition, asked, replace(known, mapping_version=version), position, version, **how
    )


def any_server(decide: Decide, definition: Any, asked: Any, known: SyncState, position: Any,
               version: str, **how: Any) -> Any:  # fmt: skip
    """The last run seems to have read the same."""
    then = known.watermark or position
    there = replace(
        position, system_identifier=then.system_identifier, timeline=then.timeline,
        database=then.database, started=then.started, tables=then.tables,
    )  # fmt: skip
    return decide(definition, asked, known, there, version, **how)


def addresses_unseen(choose: Choose, scan: Scan, ledger: KnownClients, *rest: Any,
                     **kind: Any) -> Any:  # fmt: skip
    """The ledger seems to know each client's address of today."""
    known = _as_scanned(scan, ledger, ledger.email_hash, scan.email_hash)
    return choose(scan, replace(ledger, email_hash=known), *rest, **kind)


def rights_unseen(_judged: Any, known: KnownClients, *_: Any) -> Any:
    """Everybody seems to be sent or kept back for the reason that the ledger has."""
    return np.ones(len(known.client_id), bool)


def _as_scanned(scan: Scan, ledger: KnownClients, column: Any, today: Any) -> Any:
    at, known = rows_of(ledger.client_id, scan.client_id)
    changed = column.copy()
    changed[at[known]] = today[known]
    return changed


def pending_forgotten(choose: Choose, scan: Scan, ledger: KnownClients, *rest: Any,
                      **kind: Any) -> Any:  # fmt: skip
    """Unfinished business is no reason to look at a client."""
    fate = np.where(ledger.fate == Fate.PENDING, Fate.CONFIRMED, ledger.fate)
    return choose(scan, replace(ledger, fate=fate), *rest, **kind)


def consent_unscanned(choose: Choose, scan: Scan, *rest: Any, **kind: Any) -> Any:
    """Exclusions are seen only in the rows that are read for another reason."""
    return choose(replace(scan, excluded=np.zeros_like(scan.excluded)), *rest, **kind)


def all_differ(decide: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What SendGrid has confirmed is sent again."""
    return decide(*args, **options | {"resend": True})


def nothing_stale(_stale: Any, *_: Any) -> Counter[str]:
    """Nobody says what SendGrid still holds."""
    return Counter()


MOVED = "UPDATE b2core.clients SET email = 'moved@example.com' WHERE id = 1"
NOT_BUMPED = "UPDATE b2core.clients SET first_name = 'Ana' WHERE id = 1"
NEWLY_EXCLUDED = (
    test_removals.test_A09_F01_a_newly_excluded_client_leaves_the_list_before_anything_is_sent
)


def of_everybody(_dropped_of: Any, transformed: Transformed, _clients: Any) -> list[Dropped]:
    """Whether or not they are sent."""
    return transformed.dropped


def since_now(
    replace_dropped: Callable[..., None], cursor: Cursor, sync_id: int, *rest: Any
) -> None:
    """As if none had been seen before."""
    cursor.execute("DELETE FROM contact_sync.dropped_value")
    replace_dropped(cursor, sync_id, *rest)


MUTANTS = [
    Mutant("Open transactions hold the horizon back",
           {"contact_sync.b2core.reader.Snapshot.position": newest_transaction},
           test_changes.test_A01_late_commit, {"detection": "xmin"}),
    Mutant("One snapshot for all that a step reads",
           {"contact_sync.postgres.arrow_reader.execute": moment_of_each_statement},
           test_times.test_A03_rows_that_come_and_go_while_others_are_read),
    Mutant("A table that was emptied while it was read is read again",
           {"contact_sync.b2core.reader.refuse_replaced": nothing},
           test_replaced_tables.test_R03_a_table_replaced_while_it_is_read_is_read_again,
           {"change": test_replaced_tables.RELOAD}),
    Mutant("A full run every so many hours",
           {f"{RUN}.select_clients.decide_kind": never_too_old},
           test_changes.test_A04_A07_changes_without_a_date,
           {"detection": "updated_at", "found_by": "full", "statement": NOT_BUMPED, "clients": 1}),
    Mutant("A changed mapping makes the run full",
           {f"{RUN}.select_clients.decide_kind": any_mapping},
           test_mapping_changes.test_B18_a_changed_definition_sends_everyone_once,
           {"change": "no list"}),
    Mutant("Another server makes the run full",
           {f"{RUN}.select_clients.decide_kind": any_server},
           test_changes.test_A16_another_server_makes_the_run_full),
    Mutant("A stale source isn't read",
           {f"{RUN}.select_clients.refuse_stale": nothing},
           test_changes.test_A18_a_stale_source_fails_the_run),
    Mutant("Columns of another type stop the run",
           {"contact_sync.contacts.mapping.contract_problems": nothing_lacks},
           test_setup.test_S14_what_is_wrong_is_said_before_anything_is_sent,
           {"broken": "exclusion of another type"}),
    Mutant("A field that was made again at SendGrid stops the run",
           {f"{RUN}.setup_findings.field_drift": nothing_has_changed},
           test_setup.test_S14_B16_text_into_a_field_that_became_a_number_is_reported),
    Mutant("Addresses are scanned on every run",
           {f"{RUN}.select_clients.choose": addresses_unseen},
           test_changes.test_A05_a_change_is_sent_by_the_next_run,
           {"detection": "updated_at", "statement": MOVED}),
    Mutant("Owners of shared addresses are scanned on every run",
           {"contact_sync.contacts.selection._is_as_judged": rights_unseen},
           test_addresses.test_B05_when_the_winner_leaves_the_other_client_appears,
           {"leaves": "moves", "lane": "json"}),
    Mutant("Exclusions are scanned on every run",
           {f"{RUN}.select_clients.choose": consent_unscanned},
           NEWLY_EXCLUDED, {"detection": "updated_at"}),
    Mutant("Pending clients are looked at again",
           {f"{RUN}.select_clients.choose": pending_forgotten},
           test_jobs.test_D12_a_job_that_sendgrid_does_not_know_counts_as_unknown,
           {"lane": "csv"}),
    Mutant("Only what differs is sent",
           {f"{RUN}.compare.decide": all_differ},
           test_changes.test_a_full_run_sends_only_what_differs),
    Mutant("Number and Date fields that can't be cleared are told",
           {f"{RUN}.counting._stale": nothing_stale},
           test_retries.test_B08_a_date_that_is_emptied_is_reported_as_stale),
    Mutant("Only values of clients that are sent count as dropped",
           {"contact_sync.contacts.transform.Transformed.dropped_of": of_everybody},
           test_dropped_values.test_B20_only_what_is_sent_counts, {"kind": "full"}),
    Mutant("Values of clients that SendGrid refuses are forgotten",
           {f"{STATE}.dropped.forget_unsent": nothing},
           test_dropped_values.test_B20_only_what_is_sent_counts, {"kind": "incremental"}),
    Mutant("A dropped value that stays keeps its time",
           {f"{STATE}.dropped.replace_dropped": since_now},
           test_dropped_values.test_B20_a_value_comes_stays_and_goes),
]  # fmt: skip
