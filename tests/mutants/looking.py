"""Rules about how much of B2CORE a run reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from contact_sync.base.arrays import Int64
from contact_sync.base.source_look import SourceCounts
from contact_sync.run import lost_rows
from tests.integration.changes import test_lost_rows, test_source_looks, test_standing_still
from tests.integration.runs import test_watch
from tests.mutants.mutant import RUN, STATE, Mutant, gives, nothing
from tests.unit.run import test_decide_look


def nobody(_original: Any, *_: Any) -> Int64:
    """No client."""
    return np.empty(0, np.int64)


def deletions_unseen(by_counts: Callable[..., Any], then: SourceCounts, now: SourceCounts) -> Any:
    """As if no row had been deleted."""
    tables = {oid: replace(t, deleted=then.tables[oid].deleted) for oid, t in now.tables.items()}
    return by_counts(then, replace(now, tables=tables))


def only_deletions(_may_be_gone: Any, *counts: Any) -> bool:
    """As if no row could be given to another client."""
    return lost_rows._are_deleted(*counts)


def all_read(keep: Callable[..., Any], decided: Any, *asked: Any) -> Any:
    """As if every table had been read."""
    return keep(replace(decided, read=None), *asked)


def rows_only(stands_still: Callable[..., bool], row: Any, then: SourceCounts) -> bool:
    """As if nothing were written into catalogs."""
    return stands_still(row | {"catalogs": then.catalogs}, then)


async def unread(standing: Callable[..., Any], *asked: Any) -> Any:
    """As if no run had read anything."""
    return replace(await standing(*asked), counts=None)


async def unheld(standing: Callable[..., Any], *asked: Any) -> Any:
    """As if no run were at work."""
    return replace(await standing(*asked), is_held=False)


MUTANTS = [
    Mutant("Vanished clients are looked for when rows were deleted",
           {f"{RUN}.decide_look._by_counts": deletions_unseen},
           test_source_looks.test_A24_a_client_that_vanished_is_looked_for_in_each_run),
    Mutant("Who was absent is looked for, whatever is counted",
           {f"{STATE}.affected.waiting": nobody},
           test_source_looks.test_A24_a_client_that_vanished_is_looked_for_in_each_run),
    Mutant("Who was absent is looked for, though B2CORE stands still",
           {f"{RUN}.still_source.nobody_waits": gives(True)},
           test_source_looks.test_A24_a_client_that_vanished_is_looked_for_in_each_run),
    Mutant("What a statement means is asked again when a catalog was written",
           {"contact_sync.b2core.still._stands_still": rows_only},
           test_standing_still.test_A26_what_statements_mean_is_asked_again_when_a_catalog_was_written),
    Mutant("What moves after the check is checked before it is read",
           {f"{RUN}.select_clients.check_setup": nothing},
           test_standing_still.test_A26_what_moves_between_the_check_and_the_selection_is_checked_then),
    Mutant("Who shares an address with a changed client is looked at, too",
           {f"{STATE}.affected.sharing": nobody},
           test_source_looks.test_A24_who_shared_an_address_is_looked_at_too),
    Mutant("Whose rows were deleted is found by counting them",
           {f"{RUN}.lost_rows.RowCounts.differing": nobody},
           test_source_looks.test_A06_A24_whose_row_was_deleted_is_found_by_the_next_run,
           {"table": "client_phones"}),
    Mutant("Who was looked at since rows were counted may have lost some",
           {f"{STATE}.row_counts.note_looked_at": nothing},
           test_source_looks.test_A06_A24_whose_row_was_deleted_is_found_by_the_next_run,
           {"table": "client_phones"}),
    Mutant("A row that was given to another client is missed at the former one",
           {f"{RUN}.lost_rows._may_be_gone": only_deletions},
           test_lost_rows.test_A27_whose_row_became_anothers_is_found_by_the_next_run,
           {"owner": 2}),
    Mutant("What was deleted before anything was counted makes the run full",
           {f"{RUN}.lost_rows._are_deleted": gives(False)},
           test_lost_rows.test_A06_A24_a_row_deleted_after_a_first_load_makes_the_next_run_full,
           {"runs": 0}),
    Mutant("A table that is passed over keeps its horizon",
           {f"{RUN}.decide_look.counts_to_keep": all_read},
           test_decide_look.test_A25_a_table_keeps_its_horizon_until_all_of_it_is_read),
    Mutant("What a run has read already begins no other one",
           {f"{RUN}.watch_source.Watch._standing": unread},
           test_watch.test_W01_a_change_begins_one_run_and_what_a_run_has_read_begins_none),
    Mutant("While a run is at work none is begun",
           {f"{RUN}.watch_source.Watch._standing": unheld},
           test_watch.test_W01_a_change_begins_one_run_and_what_a_run_has_read_begins_none),
]  # fmt: skip
