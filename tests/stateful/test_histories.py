"""G1 to G4, G6 and G7 for any history: random edits, faults, kills and overlapping runs on real
PostgreSQL, real HTTP and real processes, until everything must be right.

`make test` draws the same histories every time; `make test-long` draws new ones, many more (500 of
each machine, or as many as the environment's HISTORIES says). A failing history is printed as a
program; `--hypothesis-seed` repeats a whole session.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.stateful.accidents import Accidents
from tests.stateful.machine import History, WithoutFullRuns

BOUNDED = settings(
    max_examples=1,
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


@pytest.mark.timeout(0)  # the histories have time limits of their own
@pytest.mark.parametrize("machine", [History, WithoutFullRuns, Accidents])
def test_G1_G2_any_history_converges(parts: dict[str, Any], machine: type[History]) -> None:
    """Whatever happened: when it has stopped, everything is right after a few clean runs."""
    long = settings.get_current_profile_name() == "long"

    made: type[RuleBasedStateMachine] = type(machine.__name__, (machine,), parts)
    run_state_machine_as_test(made, settings=LONG if long else BOUNDED)
