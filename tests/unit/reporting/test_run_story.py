"""What the pages say about a run, and how fresh a sync is; how they mask and format."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contact_sync.base.masking import masked
from contact_sync.reporting import run_story
from contact_sync.reporting.freshness import freshness
from contact_sync.reporting.run_report import run_report
from contact_sync.reporting.sending import Sending
from contact_sync.reporting.shown_run import ShownRun, SliceProgress
from contact_sync.web import formats
from contact_sync.web.charts import trend
from contact_sync.web.run_line import run_line
from tests.support.samples import NOW, shown_run


def steps(sent: Sending | None = None, **changes: Any) -> list[str]:
    """What the page says to do next."""
    run = shown_run(**changes)
    found = run_story.next_steps(run, run_report(run), sent or Sending())
    return [step.text for step in found]


def test_after_a_run_without_a_flaw_there_is_nothing_to_do() -> None:
    """And the page says so."""
    assert steps() == ["Nothing. Every client's fate is known."]


def test_B20_new_values_that_do_not_fit_are_a_thing_to_do_and_known_ones_are_not() -> None:
    """The client is sent; nobody has to be told of the same value with every run."""
    stock = {"city: too_long": 5, "phone_number: no_number": 1_000}
    told = steps(result={"dropped_now": stock, "dropped_new": {"phone_number: no_number": 1_000}})
    assert told[0].startswith("New values that don't fit their fields: 1,000. The clients are sent")
    assert len(told) == 1
    assert steps(result={"dropped_now": stock, "dropped_new": {}}) == [
        "Nothing. Every client's fate is known."
    ]


def test_what_is_not_as_it_should_be_becomes_a_thing_to_do() -> None:
    """Rejected, pending, held back: each with its number, once."""
    books = {"rejected": 21, "pending": 1_200}
    degraded = {"rejected": 21, "removals_open": 3}
    told = steps(
        result={"books": books, "degraded": degraded}, plan={"counts": {}, "held_absences": 400}
    )
    assert "approve removals = 400" in told[0]
    assert told[1].startswith("Rejected clients: 21. Correct them in B2CORE")
    assert told[2].startswith("Pending clients: 1,200. The next run")
    assert told[3:] == [
        "3 contacts could not be removed, or may not have been; the next run tries again."
    ]


def test_a_waiting_plan_asks_for_approval() -> None:
    """Why, and that nothing is sent before."""
    approval = {"why": [{"limit": "removals", "n": 80, "allowed": 50}], "decision": None}
    (told,) = steps(state="running", approval=approval)
    assert told.startswith("Approve or refuse the plan: 80 contacts would be removed")
    run = shown_run(state="running", approval=approval)
    said = run_story.phase(run, SliceProgress(1, 1, 9, 9), Sending())
    assert said == "waits for a person's approval"


def test_a_run_without_a_sign_of_life_is_told_from_one_at_work() -> None:
    """Its lease has run out."""
    assert steps(state="running") == ["Nothing: it is at work. This page follows it."]
    assert "no sign of life" in steps(state="running", holds_lease=False)[0]


def test_a_failed_run_says_the_cause_and_that_a_new_run_continues() -> None:
    """And what becomes of the contacts that SendGrid still works on."""
    waiting = Sending(under_way=500, under_way_jobs=1)
    told = steps(waiting, state="failed", cause="SendGrid refused the key (401)")
    assert told[0].startswith("Fix the cause above")
    assert "continues from the same state" in told[1]
    assert "500 contacts" in told[2]
    assert run_story.cause(shown_run(cause="One thing\nand more")) == ("One thing", "and more")


def test_the_cause_that_says_nothing_is_not_shown_as_one() -> None:
    """`release_lease` notes none when no step knew better; the log is what helps then."""
    told = steps(state="failed", cause=None)
    assert told[0] == "Read the last lines of the failed task's log."


def test_a_refused_plan_and_a_dry_run_say_how_to_go_on() -> None:
    """Nothing was sent in either."""
    refused = {
        "why": [{"limit": "changes", "n": 9, "allowed": 1}],
        "decision": "refused",
        "by": "ann",
    }
    assert "refused by ann, so nothing was sent" in steps(state="failed", approval=refused)[0]
    expired = refused | {"decision": "expired", "by": "nobody within 24 hours"}
    (step,) = steps(state="failed", approval=expired)
    assert step.startswith("The plan was answered by nobody within 24 hours, so nothing was sent.")
    above = [{"limit": "changes", "n": 9, "allowed": 1}]
    dry = steps(dry_run=True, plan={"counts": {}, "above_limits": above})
    assert dry[0].startswith("Nothing was changed.")
    assert dry[1] == "It will ask for approval: 9 contacts would be changed, the limit is 1"


def test_a_runs_dag_run_is_known_by_its_holder() -> None:
    """As tasks.start_run writes it; a run of the command line has none."""
    holder = "DAG run contact_sync_demo manual__2026-11-26T05:42:12+00:00, started 2026-11-26"
    found = run_story.dag_run_of(holder)
    assert found == ("contact_sync_demo", "manual__2026-11-26T05:42:12+00:00")
    assert holder.startswith(run_story.holder_of(*found))
    assert run_story.dag_run_of("command line box:12") is None


def finished(pending: int, hours_ago: float) -> ShownRun:
    """A run that read B2CORE so long ago and left so many clients pending."""
    moment = NOW - timedelta(hours=hours_ago)
    return shown_run(
        snapshot={"read_at": moment.isoformat()}, result={"books": {"pending": pending}}
    )


def test_freshness_is_the_last_snapshot_while_nothing_is_pending() -> None:
    """A failed run or a dry run doesn't move it."""
    assert freshness(None, []).oldest_at is None
    runs = [shown_run(state="failed"), shown_run(dry_run=True), finished(0, 2)]
    fresh = freshness(NOW - timedelta(hours=2), runs)
    assert fresh.seconds(NOW) == 7200


def test_freshness_counts_from_before_the_first_run_that_left_a_client_pending() -> None:
    """The client may have changed just after the snapshot before."""
    runs = [finished(3, 1), finished(5, 2), finished(0, 3), finished(9, 4)]
    fresh = freshness(NOW - timedelta(hours=1), runs)
    assert (fresh.seconds(NOW), fresh.at_least) == (3 * 3600, False)
    only_pending = freshness(NOW - timedelta(hours=1), runs[:2])
    assert (only_pending.seconds(NOW), only_pending.at_least) == (2 * 3600, True)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("john@example.com", "j***@e***.com"), ("a@b.co.uk", "a***@b***.uk"), ("", ""), (None, ""),
        ("no address", "***"), ("a@b", "a***@***"), ("@b.com", "***"), ("x@.com", "x***@***"),
    ],
)  # fmt: skip
def test_a_masked_address_says_little(address: str | None, shown: str) -> None:
    """Enough to recognise it, too little to write to it."""
    assert masked(address) == shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.44, "0.4 s"), (12.4, "12 s"), (65, "1 min 5 s"), (3_600, "1 h"), (7_260, "2 h 1 min"),
        (200_000, "2 days 7 h"), (None, formats.NOTHING),
    ],
)  # fmt: skip
def test_a_duration_is_as_people_say_it(seconds: float | None, text: str) -> None:
    """Two units at most."""
    assert formats.duration(seconds) == text


def test_the_chart_has_a_bar_for_every_run_and_marks_failed_ones() -> None:
    """Oldest on the left; the axis ends at a round number."""
    runs = [
        run_line(shown_run(id=2, state="failed")),
        run_line(shown_run(id=1, result={"sending": {"confirmed": 1_100}})),
    ]
    found = trend(runs)
    assert [(bar.run.id, bar.failed) for bar in found.bars] == [(1, False), (2, True)]
    assert found.ticks[-1][1] == 2_000
    assert found.bars[0].sent_height > 0 == found.bars[1].sent_height
    assert found.bars[-1].x + found.bars[-1].width <= found.width
