"""Why a run waits, and until when; why Airflow and the report say different things."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contact_sync.config.deadlines import Deadlines
from contact_sync.reporting.advice_age import overtaken
from contact_sync.reporting.both_sides import ByHand, Deed, OverInAirflow, both_sides
from contact_sync.reporting.shown_run import LaterRun
from contact_sync.reporting.waiting import (
    AirflowSide,
    OpenTask,
    PoolRoom,
    Said,
    StateSide,
    progress,
    waits,
)
from tests.support.samples import NOW, shown_run

HALF_HOUR = timedelta(minutes=30)
ROOM = {"sendgrid": PoolRoom(4, 1)}


def text(said: Said) -> str:
    """A sentence with its moments as minutes from now."""
    return "".join(
        part if isinstance(part, str) else f"{(part - NOW).total_seconds() / 60:+.0f} min"
        for part in said
    )


def told(
    airflow: AirflowSide | None = None, state: StateSide | None = None, *, has_run: bool = True
) -> list[tuple[str, bool, str]]:
    """Tone, whether a person has to do something, and the sentence."""
    found = waits(airflow, state or StateSide(NOW), Deadlines(), has_run=has_run)
    return [(wait.tone, wait.is_for_person, text(wait.said)) for wait in found]


def side(state: str, label: str = "batch 12", **changes: Any) -> AirflowSide:
    """A running DAG run with one open task."""
    of_side = {key: changes.pop(key) for key in list(changes) if key in AirflowSide.__slots__}
    task = OpenTask("send_batch", label, state, 1, 4, "sendgrid", **changes)
    return AirflowSide("running", **{"pools": ROOM, "tasks": [task]} | of_side)


def test_a_task_that_is_tried_again_says_which_try_when_and_why() -> None:
    """Where its process was killed, there is no reason, and that is told, too."""
    (found,) = told(side("up_for_retry", next_try=NOW + HALF_HOUR, why="SendGrid answered 503"))
    assert found == ("warn", False, "send_batch (batch 12) has failed and is tried again: try 2 of "
                     "4 at +30 min, because of this: SendGrid answered 503.")  # fmt: skip
    (found,) = told(side("up_for_retry", killed=3))
    assert "its process was killed (out of memory, or by a signal)" in found[2]
    assert "3 times so far" in found[2]
    assert "try 2 of 4 within minutes; its log says why" in told(side("up_for_retry"))[0][2]


@pytest.mark.parametrize(
    ("airflow", "tone", "for_person", "said"),
    [
        (side("deferred", has_triggerer=False, gives_up=NOW + HALF_HOUR), "bad", True,
         "No triggerer of Airflow is alive.*ends the wait at +30 min"),
        (side("scheduled", pools={"sendgrid": PoolRoom(4, 4)}), "busy", False,
         "send_batch (batch 12) waits for a slot of the pool 'sendgrid': 4 of 4 are taken."),
        (side("scheduled", pools={"sendgrid": None}), "bad", True,
         "pool 'sendgrid', which isn't there: `airflow pools set sendgrid 4"),
        (side("scheduled", pools={"sendgrid": PoolRoom(0, 0)}), "bad", True, "which has 0 slots"),
        (side("queued", since=NOW - HALF_HOUR), "warn", False, "waits for a worker since -30 min"),
        (side("running", is_paused=True, paused_by=(", by ann at ", NOW)), "warn", True,
         "The DAG is paused, by ann at +0 min: what has begun goes on"),
        (side("running", has_scheduler=False), "bad", True, "No scheduler of Airflow is alive"),
        (AirflowSide("queued"), "busy", False, "The DAG run is queued"),
    ],
    ids=["triggerer", "pool full", "no pool", "empty pool", "worker", "paused", "scheduler",
         "queued"],
)  # fmt: skip
def test_what_airflow_waits_for_is_told(
    airflow: AirflowSide, tone: str, for_person: bool, said: str
) -> None:
    """Each with who has to do something."""
    (found,) = told(airflow)
    assert found[:2] == (tone, for_person)
    for part in said.split(".*"):
        assert part in found[2]


def test_a_task_at_work_is_nothing_to_tell() -> None:
    """Nor one that has just come into the queue, or waits for a job while the triggerer is up."""
    for state in ("running", "deferred", "queued"):
        assert told(side(state, since=NOW)) == []
    (asked,) = told(side("awaiting_input", gives_up=NOW + timedelta(hours=4)))
    assert (
        asked[2]
        == "Without a person's answer until +240 min nothing is sent, and the run ends red."
    )


def test_what_the_state_database_knows_of_waits_is_told() -> None:
    """A call that SendGrid turned away, an answer that was lost, jobs and leases of other runs."""
    limit = StateSide(NOW, waits_until=NOW + HALF_HOUR, waits_why="PUT x: rate limit reached")
    assert "PUT x: rate limit reached. It is tried again at +30 min." in told(None, limit)[0][2]
    assert told(None, StateSide(NOW + 2 * HALF_HOUR, waits_until=NOW, waits_why="x")) == []
    lost = StateSide(NOW, unknown_at=NOW - timedelta(minutes=10), is_settling=True)
    assert "nothing newer is sent before +20 min" in told(None, lost)[0][2]
    older = StateSide(NOW, earlier_jobs=2, earlier_sent_at=NOW, is_settling=True)
    assert told(None, older)[0][2].startswith("2 jobs of an earlier run at SendGrid aren't over")
    assert "until +120 min at the latest" in told(None, older)[0][2]
    past = StateSide(NOW, unknown_at=NOW, earlier_jobs=2, earlier_sent_at=NOW)
    assert told(None, past) == []  # it has got past them, whatever they are by now
    busy = StateSide(NOW, holder="command line box:1", lease_until=NOW + HALF_HOUR)
    (found,) = told(AirflowSide("running"), busy, has_run=False)
    assert "Another run is at work on this sync: command line box:1" in found[2]
    assert "its lease ends at +30 min" in found[2]
    (queued,) = told(AirflowSide("queued"), busy, has_run=False)
    assert "is queued" in queued[2], "it looks for no lease before it has begun"


def test_a_rate_is_told_once_something_has_been_done() -> None:
    """And how long the rest takes; never of what is over."""
    found = progress("contacts", 300, 900, NOW - timedelta(seconds=60), NOW)
    assert (found.rate, found.left) == (5.0, 120.0)
    for done in (0, 900):
        assert progress("contacts", done, 900, NOW - HALF_HOUR, NOW).rate is None
    assert progress("contacts", 3, 900, None, NOW).rate is None


def sides(airflow: str, deeds: tuple[ByHand, ...] = (), **changes: Any) -> list[str]:
    """What is said of a run in this state of Airflow's, and of these deeds."""
    of_airflow = {key: changes.pop(key) for key in list(changes) if key in OverInAirflow.__slots__
                  and key != "state"}  # fmt: skip
    seen = OverInAirflow(airflow, deeds, **of_airflow)
    return [text(said) for said in both_sides(seen, shown_run(**changes))]


def test_sides_that_agree_are_nothing_to_tell_and_others_say_why() -> None:
    """Airflow's state beside the run's."""
    assert sides("success") == sides("failed", state="failed") == []
    assert sides("running", state="running") == []
    (found,) = sides("failed", failed="release_lease")
    assert "all its work is done, and release_lease failed after that" in found
    (found,) = sides("success", state="failed")
    assert "Airflow says success, and the run has failed" in found
    (found,) = sides("success", state="superseded", ended_by=7)
    assert "was ended by run 7" in found
    (found,) = sides("failed", state="running")
    assert "Airflow says failed, and this run hasn't ended" in found


def test_what_people_did_by_hand_is_told_with_who_and_when() -> None:
    """A task that is cleared when its run is over refuses, and that is told; before, it doesn't."""
    marked = ByHand(Deed.MARKED, "ann", NOW, "send_batch", "success")
    assert sides("failed", (marked,), state="failed") == [
        "ann marked send_batch as success at +0 min."
    ]
    run = ByHand(Deed.MARKED_RUN, "ann", NOW, state="success")
    found = sides("success", (run,), state="failed")
    assert found[0] == "ann marked the DAG run as success at +0 min."
    assert "a person marked it so" in found[1]
    cleared = ByHand(Deed.CLEARED, "bob", NOW, "send_batch")
    over = {"finished_at": NOW - HALF_HOUR}
    (refused,) = sides("success", (cleared,), **over)
    assert refused.startswith("bob cleared send_batch at +0 min. The run was over by then, so its")
    assert sides("running", (cleared,), state="running", finished_at=None) == [
        "bob cleared send_batch at +0 min."
    ]


def test_a_failed_task_says_why_an_earlier_try_failed_where_the_run_has_no_cause() -> None:
    """A triggerer that is down: no step of the run could say so."""
    why: dict[str, Any] = {
        "failed": "send_batch",
        "failed_before": "nothing ended its wait in time",
    }
    (found,) = sides("failed", state="failed", **why)
    assert found == ("send_batch failed again and again; an earlier try because of this: nothing "
                     "ended its wait in time.")  # fmt: skip
    assert sides("failed", state="failed", cause="SendGrid refused the key", **why) == []


def test_killed_processes_are_counted() -> None:
    """By task, whatever came of it."""
    (found,) = sides("success", killed={"send_batch": 3})
    assert found.startswith("The process of send_batch was killed 3 times: out of memory, or by")


def later(run_id: int, state: str, removals: int | None = None) -> LaterRun:
    """A run after the one that is looked at."""
    return LaterRun(run_id, "command line box:1", state, NOW, NOW, removals)


def test_advice_that_is_done_or_out_of_date_says_by_which_run() -> None:
    """The first run that succeeded since; else how the newest stands."""
    failed, dry = shown_run(state="failed"), shown_run(dry_run=True)
    held = shown_run(plan={"counts": {}, "held_absences": 7})
    assert overtaken(failed, []) is None
    assert overtaken(shown_run(state="running"), [later(9, "succeeded")]) is None
    cases = (
        (failed, [later(8, "succeeded"), later(9, "failed")], True, 8, "and succeeded"),
        (failed, [later(9, "failed")], False, 9, "didn't succeed"),
        (failed, [later(9, "running")], False, 9, "is at work now"),
        (dry, [later(8, "succeeded")], False, 8, "sent what differed"),
        (held, [later(8, "succeeded", 7)], True, 8, "approve removals = 7"),
        (held, [later(8, "succeeded")], False, 8, "newer numbers"),
    )
    for run, since, is_done, by, said in cases:
        found = overtaken(run, since)
        assert found is not None
        assert (found.is_done, found.by) == (is_done, by)
        assert said in found.said
