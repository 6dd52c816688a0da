"""G1 to G4, G6 and G7 for any history: random edits, faults, kills and overlapping runs on real
PostgreSQL, real HTTP and real processes, until everything must be right.

`make test` draws the same histories every time; `make test-long` draws new ones, many more (500 of
each machine, or as many as the environment's HISTORIES says). A failing history is printed as a
program; `--hypothesis-seed` repeats a whole session.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from local.sendgrid_emulator.process import Emulator, start_emulator
from tests.stateful import child
from tests.stateful.accidents import Accidents
from tests.stateful.machine import History, WithoutFullRuns
from tests.support import canary
from tests.support.databases import Shared, empty, empty_b2core
from tests.support.world import API_KEY, CUSTOM_FIELDS, LIST_NAME, World, opt_out_column

BOUNDED = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # the long ones shrink
    suppress_health_check=list(HealthCheck),
)
LONG = settings(
    BOUNDED, max_examples=int(os.environ.get("HISTORIES", "500")), stateful_step_count=40,
    derandomize=False, print_blob=True, phases=[Phase.generate, Phase.shrink],
)  # fmt: skip


@pytest.fixture
def fresh(
    world: World, state_database: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], World]:
    """Empties the world, again and again, and gives it out."""
    child.hurry(monkeypatch)
    world.sql_folder = opt_out_column(world.sql_folder, tmp_path / "b2core")
    definition = world.definition

    def emptied() -> World:
        canary.scan_state(world.state_url)
        world.definition = definition
        empty_b2core(world.b2core_url)
        empty(state_database.whole(), "contact_sync")
        world.emulator.admin.reset()
        for name in CUSTOM_FIELDS:
            world.emulator.admin.create_field(name, "Text")
        world.list_id = world.emulator.admin.create_list(LIST_NAME)
        return world

    return emptied


@pytest.fixture(scope="module")
def other_account() -> Iterator[Emulator]:
    """Another SendGrid account."""
    with start_emulator(
        api_key=API_KEY, empty_cell="keep", delay=0.05, settings={"finish_delay": 0.02}
    ) as running:
        yield running


@pytest.mark.timeout(0)  # the histories have time limits of their own
@pytest.mark.parametrize("machine", [History, WithoutFullRuns, Accidents])
def test_G1_G2_any_history_converges(
    fresh: Callable[[], World],
    machine: type[History],
    state_database: Shared,
    other_account: Emulator,
) -> None:
    """Whatever happened: when it has stopped, everything is right after a few clean runs."""
    long = settings.get_current_profile_name() == "long"

    made: type[RuleBasedStateMachine]
    parts = {
        "fresh": staticmethod(fresh), "state_owner": state_database.whole(),
        "other_account": other_account,
    }  # fmt: skip
    made = type(machine.__name__, (machine,), parts)
    run_state_machine_as_test(made, settings=LONG if long else BOUNDED)
