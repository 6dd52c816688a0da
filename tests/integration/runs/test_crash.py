"""G6: `kill -9` anywhere is harmless. A real process is killed at every fail point of the package;
then one clean run makes every contact right and the books balance. `make test` kills once at each
point, and again where another kind of run recovers in another way; `make test-long` in each kind.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from contact_sync.base.paths import INCLUDE
from tests.support.crashes import CSV, EVERY_RUN, JOINTS, JSON, KINDS, all_points
from tests.support.killed import hit
from tests.support.steps import staged
from tests.support.world import World

POINTS = sorted(all_points())
CASES = [(kind, point) for kind, what in KINDS.items() for point in sorted(what.points)]
IN_FLIGHT = {"batch_submitted", "job_pending", "batch_settled_uncommitted"}
ALSO_AT = {
    "incremental": EVERY_RUN,  # newcomers, changes, an e-mail change and its removal in one run
    "first load, JSON": {"slices_uncommitted", "batch_submitted"},  # no watermark yet
    "first load, CSV": IN_FLIGHT,
    "full": {"slices_uncommitted"},
    "removals": {"removals_noted_uncommitted", "batch_settled_uncommitted"},
    "new addresses": {"batch_settled_uncommitted"},
    "approved beforehand": {"plan_uncommitted"},
}
"""The points of every run at which `make test` kills this kind; it does at all other points."""
LOADS = ("first load, JSON", "first load, CSV")
OF_C01 = ("import_created_not_stored", "import_created")
OF_C02 = ("uploaded_not_stored", "upserted_not_stored")
OF_F08 = ("delete_announced", "deleted_not_stored")
OF_D10 = ("batch_settled_uncommitted", "batch_settled", "single_settled_uncommitted", "job_over")
NAMED = {*OF_C01, *OF_C02, *OF_F08, *OF_D10}


@pytest.fixture
def crashing(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a copy of the source's SQL, which other processes find too, and in which jobs
    of killed runs are looked at every second, and in which SendGrid's search doesn't lag."""
    monkeypatch.setattr("contact_sync.run.settle_earlier_runs.POLL_SECONDS", 1.0)
    monkeypatch.setattr("contact_sync.run.sending.removal_targets.SEARCH_LAG_SECONDS", 0.0)
    world.sql_folder = Path(shutil.copytree(INCLUDE / "sql" / "b2core", tmp_path / "b2core"))
    return world


def is_quick(kind: str, point: str) -> bool:
    """Whether `make test` kills this kind of run at the point."""
    return point not in EVERY_RUN or point in ALSO_AT.get(kind, ())


def cases(*points: str) -> pytest.MarkDecorator:
    """All kinds of run that reach one of the points; all points without a name of their own."""
    chosen = [c for c in CASES if (c[1] in points if points else c[1] not in NAMED)]
    slow = pytest.mark.slow
    return pytest.mark.parametrize(
        ("kind", "point"), [pytest.param(*c, marks=() if is_quick(*c) else slow) for c in chosen]
    )


def assert_recovers(world: World, kind: str, *, take_over: bool) -> None:
    """A clean run puts everything right, and the next one has nothing to do."""
    what = KINDS[kind]
    if what.cure:
        what.cure(world)
    report = world.run(what.mode, take_over=take_over, **what.options)
    if report["books"]["pending"]:  # who changed between plan and sending, until the next run
        world.run()
    world.assert_converged(**what.converged)
    if what.check:
        what.check(world)
    last = world.run()
    assert (last["counts"]["sent"], last["jobs"]) == (0, [])
    books = last["books"]
    fates = sum(books[fate] for fate in ("confirmed", "pending", "rejected", "excluded"))
    assert (books["selected"], books["pending"]) == (fates, 0)
    assert staged(world) == (0, 0)
    running = "SELECT count(*) FROM contact_sync.run WHERE state = 'running'"
    assert world.state(running) == [(0,)]


def assert_survives(world: World, kind: str, point: str) -> None:
    """Prepare, be killed at the point (which must be reached), recover."""
    KINDS[kind].prepare(world)
    code = hit(point, world, kind)
    assert code == -signal.SIGKILL, f"{point} was not reached: {code}"
    if kind == "incremental":
        world.change_again()
    assert_recovers(world, kind, take_over=True)


def test_every_point_is_hit_in_some_kind_of_run() -> None:
    """A new `reach` in the package needs a kind of run here, and no name here is out of date."""
    assert set().union(*(what.points for what in KINDS.values())) == set(POINTS)
    assert {point for kind, point in CASES if is_quick(kind, point)} == set(POINTS)
    assert all(points <= KINDS[kind].points for kind, points in ALSO_AT.items())
    for load, own in zip(LOADS, (JSON, CSV), strict=True):
        assert KINDS[load].points == EVERY_RUN | own


@cases()
def test_G6_P11_killed_anywhere(crashing: World, kind: str, point: str) -> None:
    """Every other point."""
    assert_survives(crashing, kind, point)


@cases(*OF_C01)
def test_C01_killed_around_storing_the_imports_id(crashing: World, kind: str, point: str) -> None:
    """An import without an upload is an empty job, nothing else."""
    assert_survives(crashing, kind, point)


@cases(*OF_C02)
def test_C02_killed_between_upload_and_record(crashing: World, kind: str, point: str) -> None:
    """What was announced is found again or sent again."""
    assert_survives(crashing, kind, point)


@cases(*OF_D10)
def test_D10_killed_while_confirming(crashing: World, kind: str, point: str) -> None:
    """All of a batch is settled, or nothing of it."""
    assert_survives(crashing, kind, point)


@cases(*OF_F08)
def test_B01_F08_killed_around_a_removal(crashing: World, kind: str, point: str) -> None:
    """It is repeated, and nobody else is removed."""
    assert_survives(crashing, kind, point)


STOPPED = {*JOINTS, "upsert_announced", "upload_announced", "delete_announced", "move_announced"}


@pytest.mark.parametrize(
    "point",
    [
        point if point in STOPPED else pytest.param(point, marks=pytest.mark.slow)
        for point in POINTS
    ],
)
def test_P11_stopped_anywhere(crashing: World, point: str) -> None:
    """SIGTERM, as from Airflow's `mark failed` or an eviction: the run says that it was stopped
    and frees its lease, so that the next one needs no take-over."""
    kind = next(name for name, what in KINDS.items() if point in what.points)
    KINDS[kind].prepare(crashing)
    before = crashing.state("SELECT count(*) FROM contact_sync.run")
    code = hit(point, crashing, kind, "TERM")
    assert code == 128 + signal.SIGTERM, f"{point} was not reached: {code}"
    too_early = point == "run_started"  # nobody knows the run's id yet: its lease stays
    if not too_early and crashing.state("SELECT count(*) FROM contact_sync.run") != before:
        over = "succeeded" if point == "run_finished" else "failed"
        assert crashing.report()["state"] == over
    assert_recovers(crashing, kind, take_over=too_early)
