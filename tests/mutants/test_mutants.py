"""Each protective rule is switched off, from outside: a test of the suite must notice.

The same tests pass without the mutant; the suite runs them where they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contact_sync.b2core import Snapshot
from contact_sync.models import JobStatus
from contact_sync.state import settling
from contact_sync.steps import stage
from tests.integration import (
    test_changes,
    test_failed_jobs,
    test_jobs,
    test_mapping_changes,
    test_removals,
    test_retries,
    test_run_protocol,
    test_suppressions,
    test_timing,
)
from tests.unit import test_urls
from tests.world import World, opt_out_column

STEPS = "contact_sync.steps"
NOTICED = (AssertionError, pytest.fail.Exception)  # an assertion, or an error that didn't come
Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule, how it is switched off, and the test that notices."""

    rule: str
    apply: Callable[[Patch], None]
    noticed_by: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    opt_outs: bool = False
    """Whether the test's source says who has opted out."""


def nothing(*names: str, result: Any = None) -> Callable[[Patch], None]:
    """Replace functions by one that does nothing."""

    def apply(patch: Patch) -> None:
        for name in names:
            patch.setattr(f"{STEPS}.{name}", lambda *_, **__: result)

    return apply


def no_fence(patch: Patch) -> None:
    """Neither state writes nor effects outside ask who holds the lease."""
    patch.setattr("contact_sync.state.database._check_fence", lambda *_: None)
    patch.setattr("contact_sync.state.runs.renew_lease", lambda *_: None)


def any_status_is_an_end(patch: Patch) -> None:
    """A pending job counts as over."""
    patch.setattr(JobStatus, "is_terminal", property(lambda _: True))


def confirm_all(patch: Patch) -> None:
    """Refused contacts are confirmed with the others."""
    confirm = settling.confirm
    patch.setattr(settling, "confirm", lambda cursor, batch, _: confirm(cursor, batch, {}))


def newest_transaction_as_horizon(patch: Patch) -> None:
    """What was still open during the last run is taken for read."""
    position = Snapshot.position

    def late(self: Snapshot) -> dict[str, Any]:
        found = position(self)
        return found | {"horizon": found["next_xid"]}

    patch.setattr(Snapshot, "position", late)


def one_absence(patch: Patch) -> None:
    """A client that is missing once is removed."""
    patch.setattr(f"{STEPS}.remove.ENOUGH_ABSENCES", 1)


def always_incremental(patch: Patch) -> None:
    """Nothing makes a run full, save that there was none."""
    decide = stage.RunKind

    def kind(_: Any, asked: Any, known: Any, *__: Any) -> Any:
        return (decide.FULL, "first") if known.watermark is None else (asked, "always")

    patch.setattr(f"{STEPS}.select.decide_kind", kind)


def send_all(patch: Patch) -> None:
    """What SendGrid has confirmed is sent again."""
    init = stage._Diff.__init__

    def resending(self: Any, *args: Any, **options: Any) -> None:
        init(self, *args, **options | {"resend": True})

    patch.setattr(stage._Diff, "__init__", resending)


def exclusions_forgotten(patch: Patch) -> None:
    """The exclusion column is read and not heeded."""
    patch.setattr(stage, "EXCLUDED", 0)
    apply = stage._Diff.apply

    def careless(self: Any, transformed: Any) -> Any:
        transformed.frame["exclusion"] = None
        return apply(self, transformed)

    patch.setattr(stage._Diff, "apply", careless)


MUTANTS = {
    "no fence": Mutant(
        "A run that lost its lease writes and sends nothing", no_fence,
        test_run_protocol.test_O04_a_zombie_changes_nothing_after_a_take_over, ("select", "json"),
    ),
    "no lease renewal before effects": Mutant(
        "The lease is proved before every effect outside", no_fence,
        test_run_protocol.test_O04_a_zombie_changes_nothing_after_a_take_over, ("submit", "json"),
    ),
    "no drain": Mutant(
        "Open jobs of earlier runs are settled first", nothing("run_all.drain"),
        test_timing.test_D02_a_job_that_outlasts_the_run_is_followed_by_the_next,
    ),
    "confirmed while pending": Mutant(
        "Only a terminal status ends a job", any_status_is_an_end,
        test_timing.test_D02_a_job_that_outlasts_the_run_is_followed_by_the_next,
    ),
    "refused contacts confirmed": Mutant(
        "Contacts that a job refused are rejected", confirm_all,
        test_retries.test_D04_rejected_clients_are_retried_when_they_change_or_on_demand,
    ),
    "short counts believed": Mutant(
        "Counts that don't add up are read back", nothing("settle.not_applied", result=set()),
        test_failed_jobs.test_D07_rows_that_a_completed_job_dropped_are_sent_again, ("json",),
    ),
    "horizon of the newest transaction": Mutant(
        "Open transactions hold the horizon back", newest_transaction_as_horizon,
        test_changes.test_A01_late_commit, ("xmin",),
    ),
    "no absence guard": Mutant(
        "Mass absence removes nobody", nothing("select.absences_to_hold", result=0),
        test_removals.test_A23_F05_G5_mass_absence_removes_nobody_and_holds_up_nothing, ("some",),
    ),
    "one absence is enough": Mutant(
        "Two looks before a removal", one_absence,
        test_removals.test_A08_F07_a_deleted_client_leaves_the_list_after_two_looks,
    ),
    "exclusions last": Mutant(
        "Excluded clients leave the list before anything is sent",
        nothing("run_all.plan_exclusions", result=[]),
        test_removals.test_A09_F01_a_newly_excluded_client_leaves_the_list_before_anything_is_sent,
        opt_outs=True,
    ),
    "exclusions uploaded": Mutant(
        "Excluded clients are never uploaded", exclusions_forgotten,
        test_removals.test_F01_excluded_and_moved_at_once, opt_outs=True,
    ),
    "opt-outs not carried": Mutant(
        "A suppressed client's new address is suppressed first", nothing("prepare._suppress"),
        test_suppressions.test_B03_the_opt_out_of_the_old_address_is_carried_over_first, ("json",),
    ),
    "no approval": Mutant(
        "Nothing above the limits is sent unapproved",
        nothing("submit.refuse_unapproved", "remove.refuse_unapproved"),
        test_removals.test_G5_too_many_changes_wait_for_a_person,
    ),
    "no second look": Mutant(
        "An old snapshot is looked at again before sending", nothing("prepare._hold_changed"),
        test_failed_jobs.test_F04_who_was_excluded_deleted_or_moved_since_the_reading_is_not_sent,
        ("monkeypatch",),
    ),
    "mapping changes unnoticed": Mutant(
        "A changed mapping makes a full run", always_incremental,
        test_mapping_changes.test_B18_a_changed_definition_sends_everyone_once,
        (next(iter(test_mapping_changes.CHANGES)),),
    ),
    "everything is sent": Mutant(
        "Only what differs is sent", send_all,
        test_changes.test_a_full_run_sends_only_what_differs,
    ),
    "quarantine skipped": Mutant(
        "A request of unknown fate is waited for", nothing("run_all.drain"),
        test_jobs.test_O01_a_first_try_of_unknown_fate_cannot_overwrite_newer_values,
    ),
    "any URL": Mutant(
        "Files go to known hosts only",
        lambda patch: patch.setattr(test_urls, "check_storage_url", lambda *_: None),
        lambda _: test_urls.test_H01_every_other_url_is_refused(test_urls.HOSTILE[0]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_the_suite_notices(world: World, monkeypatch: Patch, tmp_path: Path, name: str) -> None:
    """The test fails by an assertion of its own, not by an accident of the mutant."""
    mutant = MUTANTS[name]
    if mutant.opt_outs:
        world.sql_folder = opt_out_column(world.sql_folder, tmp_path / "b2core")
    mutant.apply(monkeypatch)
    fixtures = {"monkeypatch": monkeypatch}
    with pytest.raises(NOTICED):
        mutant.noticed_by(world, *(fixtures.get(a, a) for a in mutant.arguments))
