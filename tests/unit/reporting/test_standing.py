"""What needs a person comes first: how a sync stands, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contact_sync.airflow_edge.access import Powers
from contact_sync.base.standing import Standing
from contact_sync.config.schedule import longest_gap
from contact_sync.reporting.standing import Overview, PastRun, Switches, stand_of
from contact_sync.web.overview_view import SyncLine, ordered, spark
from tests.support.samples import NOW, define, shown_run

ON = Switches(enabled=True, shadow=False, paused=False, gap=timedelta(hours=1))
ABOVE = {"limit": "changes", "n": 1_800, "allowed": 1_500}
GOOD = shown_run(id=3)
TO_FIX = "  - no column 'a'\n  - no list 'b'\n  - no field 'c'\n  - no scope 'd'"
ONE_MORE = {"degraded": {"rejected": 2}, "degraded_new": {"rejected": 1}}
NEWS = {"degraded": {"pending": 2, "stale": 9}, "degraded_new": {"pending": 2}}


def runs(newest: Any = GOOD, **more: Any) -> Overview:
    """The runs of a sync whose newest one is this."""
    return Overview(ended=newest, succeeded=GOOD, first_try=NOW, **more)


CASES = [
    (
        "waits for approval",
        ON,
        runs(shown_run(state="failed", cause="x"), at_work=shown_run(
            id=8, state="running", approval={"why": [ABOVE], "decision": None})),
        "1,800 contacts would be changed, the limit is 1,500",
    ),
    ("disabled", replace(ON, enabled=False), runs(shown_run(state="failed")), "enabled: false"),
    ("healthy", replace(ON, shadow=True), Overview(), "A shadow"),
    ("failed", replace(ON, paused=True), runs(shown_run(state="failed", cause="No list\nmore")),
     "No list"),
    ("degraded", replace(ON, gap=None), runs(shown_run(result=ONE_MORE)),
     "1 client is rejected (new; 2 in all)"),
    ("failed", ON, runs(shown_run(state="failed")), "a person marked it as failed in Airflow"),
    ("late", ON, runs(shown_run(finished_at=NOW)), "No run has succeeded since 26 Nov 2026"),
    ("late", ON, Overview(first_try=NOW, at_work=shown_run(state="running")), "so far"),
    ("degraded", replace(ON, gap=None), runs(shown_run(result=NEWS)), "2 clients are pending"),
    ("degraded", replace(ON, gap=None), runs(shown_run(result={"dropped_new": {"a": 1}})),
     "1 value is newly left out"),
    ("paused", replace(ON, paused=True), runs(), "Its DAG is paused"),
    ("never run", replace(ON, gap=None), Overview(), "Its first run loads every client"),
    ("healthy", replace(ON, gap=None), runs(), ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("standing", "switches", "overview", "said"), CASES, ids=[f"{n}" for n in range(len(CASES))]
)
def test_the_most_urgent_that_holds_is_told_with_its_reason(
    standing: str, switches: Switches, overview: Overview, said: str
) -> None:
    """Three hours after the newest success of a sync that runs each hour."""
    found = stand_of(switches, overview, NOW + timedelta(hours=3))
    assert found.standing == standing
    assert said in " ".join(found.why)
    assert "stale" not in " ".join(found.why), "what is known and unchanged isn't news"


def test_after_twice_its_schedule_and_not_before_a_sync_is_late() -> None:
    """Also over a weekend on which it doesn't run."""
    assert stand_of(ON, runs(), NOW + timedelta(hours=2)).standing is Standing.HEALTHY
    assert stand_of(ON, runs(), NOW + timedelta(hours=3)).standing is Standing.LATE
    monday = datetime(2026, 11, 30, 6, 1, tzinfo=UTC)
    weekdays = replace(ON, gap=longest_gap("0 6 * * mon-fri", monday))
    assert weekdays.gap == timedelta(days=3)
    friday = runs(
        shown_run(),
    )
    assert stand_of(weekdays, friday, monday).standing is Standing.HEALTHY
    assert longest_gap("@quarterly", monday) == timedelta(days=92)
    assert longest_gap("@once", monday) is None


def test_syncs_are_in_the_order_of_what_needs_a_person() -> None:
    """Whatever the order of their files."""
    powers = Powers(start=True, pause=True, cancel=True, decide=True)
    lines = [
        SyncLine(define(name=f"s{n}"), stand_of(switches, overview, NOW + timedelta(hours=3)),
                 powers, overview)
        for n, (_, switches, overview, _) in enumerate(reversed(CASES))
    ]  # fmt: skip
    found = [str(line.stand.standing) for line in ordered(lines)]
    order = [str(each) for each in Standing if each in found]
    assert list(dict.fromkeys(found)) == order
    assert order[0] == "failed"


def test_what_may_not_be_done_is_named() -> None:
    """In the words of the buttons that aren't there."""
    assert Powers(start=True, pause=True, cancel=True, decide=True).lacking == ""
    assert Powers(start=True, pause=False, cancel=True, decide=True).lacking == "pause"
    assert (
        Powers(start=False, pause=False, cancel=False, decide=False).lacking
        == "start, pause or cancel"
    )


def test_small_bars_say_their_numbers_and_stay_in_their_frame() -> None:
    """A million beside one can still be seen; without a run that sent anything, too."""
    found = spark([PastRun(2, "succeeded", 1_000_000, 3), PastRun(1, "failed", 1, 0)])
    assert found.text == ("The last 2 runs, newest last. Sent: 1, 1,000,000. Rejected: 0, 3.")
    assert [bar.sent_height for bar in found.bars] == [1.0, 40.0]
    for bar in found.bars:
        assert 0 <= bar.rejected_y <= bar.sent_y <= found.height
    assert spark([PastRun(1, "failed", 0, 0)]).bars[0].sent_height == 0


def test_of_how_many_clients_the_confirmed_ones_are_is_told_with_those_that_are_absent() -> None:
    """A held client has a contact and isn't in B2CORE: never "296 of 289 clients"."""
    books = {"selected": 1_289, "confirmed": 1_296, "pending": 0, "rejected": 2, "excluded": 2}
    stand = stand_of(ON, runs(), NOW)

    def confirmed(held: int) -> str:
        result = {"books": books | {"selected": 1_300 - held}}
        overview = Overview(succeeded=shown_run(result=result))
        return SyncLine(define(), stand, Powers(True, True, True, True), overview).confirmed

    assert confirmed(0) == "1,296 of 1,300 clients"
    assert confirmed(11) == "1,296 of 1,300 clients, 11 of them absent from B2CORE"


def test_a_list_that_a_cause_only_announces_is_told_with_it() -> None:
    """There is no sentence to act on without it."""
    failed = runs(shown_run(state="failed", cause=f"To fix:\n{TO_FIX}"))
    (said,) = stand_of(ON, failed, NOW).why
    assert said == "To fix: no column 'a'; no list 'b'; no field 'c' (and 1 more)"
