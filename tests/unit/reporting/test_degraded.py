"""What makes a run degraded: what is worse than after the run before."""

from __future__ import annotations

from contact_sync.base.degraded import Degraded
from contact_sync.reporting.degraded import newly_degraded
from contact_sync.reporting.run_report import run_report
from contact_sync.web.run_line import tag_of
from tests.support.samples import shown_run


def test_what_is_known_and_unchanged_does_not_count() -> None:
    """Rejections count by who is new, not by how many there are."""
    now = {Degraded.REJECTED: 20, Degraded.STALE: 3, Degraded.REMOVALS_OPEN: 2}
    before = {"rejected": 20, "stale": 3, "removals_open": 1}
    assert newly_degraded(now, before, 0) == {Degraded.REMOVALS_OPEN: 1}
    assert newly_degraded(now, before, 1)[Degraded.REJECTED] == 1


def test_what_is_held_or_pending_counts_in_each_run() -> None:
    """It is about the run, and asks for somebody."""
    now = {Degraded.PENDING: 2, Degraded.ABSENCES_HELD: 400}
    assert newly_degraded(now, {"pending": 2, "absences_held": 400}, 0) == now


def test_a_run_that_is_no_worse_succeeded_and_still_shows_what_is_known() -> None:
    """A newly dropped value makes it degraded; an older version's result tells by itself."""
    known = {"degraded": {"rejected": 1}, "degraded_new": {}}
    report = run_report(shown_run(result=known))
    assert (tag_of(report).text, report.degraded) == ("succeeded", ["1 client is rejected"])
    for worse in (known | {"dropped_new": {"phone: invalid": 1}}, {"degraded": {"rejected": 1}}):
        assert tag_of(run_report(shown_run(result=worse))).text == "degraded"
