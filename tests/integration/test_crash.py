"""G6: `kill -9` anywhere is harmless. A real process is killed at every fail point of the package,
in each kind of run; then one clean run makes every contact right and the books balance.
"""

from __future__ import annotations

import ast
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

import contact_sync
from contact_sync import failpoints
from tests.world import World

PACKAGE = Path(contact_sync.__file__).parent
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["contact_sync.steps.run_all", "tests.world"])

CSV_ONLY = {
    "import_created_not_stored", "import_created", "upload_announced", "uploaded_not_stored",
}  # fmt: skip
JSON_ONLY = {"upsert_announced", "upserted_not_stored"}
REMOVAL_ONLY = {"delete_announced", "deleted_not_stored"}


def all_points() -> set[str]:
    """Every name that is given to `reach` in the package."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "reach":
                argument = node.args[0]
                assert isinstance(argument, ast.Constant)
                found.add(str(argument.value))
    return found


POINTS = sorted(all_points())


def die_at(point: str, world: World, kind: str) -> None:
    """In a child process: run, and be killed at the point."""
    os.environ[failpoints.VARIABLE] = point
    world.run(kind)


def kill_at(point: str, world: World, kind: str = "incremental") -> None:
    """Run in a process of its own that is killed at the point; fail if it isn't reached."""
    if point == "job_pending":  # the first look must find the job still at work
        world.emulator.admin.settings(delay=1.0)
    child = FORKS.Process(target=die_at, args=(point, world.portable(), kind))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, f"{point} was not reached: {child.exitcode}"


def test_the_points_are_there() -> None:
    """The enumeration sees the package's points, and the groups below name existing ones."""
    assert len(POINTS) >= 25
    assert set(POINTS) >= CSV_ONLY | JSON_ONLY | REMOVAL_ONLY


@pytest.mark.parametrize("point", [p for p in POINTS if p not in CSV_ONLY | REMOVAL_ONLY])
def test_killed_in_a_first_load_by_json(world: World, point: str) -> None:
    """First load, JSON lane."""
    world.seed()
    kill_at(point, world)
    world.run(take_over=True)
    world.assert_converged()


@pytest.mark.parametrize("point", [p for p in POINTS if p not in JSON_ONLY | REMOVAL_ONLY])
def test_killed_in_a_first_load_by_csv(world: World, point: str) -> None:
    """First load, CSV lane."""
    world.redefine(lane="csv")
    world.seed()
    kill_at(point, world)
    world.run(take_over=True)
    world.assert_converged()


@pytest.mark.parametrize("point", [p for p in POINTS if p not in CSV_ONLY])
def test_killed_in_an_incremental_run(world: World, point: str) -> None:
    """Changes, a cleared field, a changed address whose old contact is removed, a newcomer."""
    world.seed()
    world.run()
    world.change()
    kill_at(point, world)
    world.change_again()
    world.run(take_over=True)
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0
