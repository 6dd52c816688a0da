"""Rules about what people are told first, and in words."""

from __future__ import annotations

from collections.abc import Callable

from contact_sync.base.errors import SyncError
from contact_sync.config.definition import Connections
from contact_sync.reporting.shown_run import ShownRun
from tests.mutants.mutant import Mutant, gives
from tests.unit.reporting import test_failure_and_progress, test_standing

TOLD = "contact_sync.reporting"


def unnamed(_cause: Callable[..., str], error: SyncError, _connections: Connections) -> str:
    """What the server said is enough."""
    return str(error)


def in_one_line(_folded: Callable[..., list[str]], line: str) -> list[str]:
    """A log's reader may scroll."""
    return [line]


def first_line_only(_in_short: Callable[..., str], run: ShownRun) -> str:
    """Whoever wants more opens the run."""
    return (run.cause or "").partition("\n")[0]


MUTANTS = [
    Mutant("A list that a cause announces is told with it",
           {f"{TOLD}.standing.cause_in_short": first_line_only},
           test_standing.test_a_list_that_a_cause_only_announces_is_told_with_it),
    Mutant("A sync without a success is late", {f"{TOLD}.standing._late": gives("")},
           test_standing.test_after_twice_its_schedule_and_not_before_a_sync_is_late),
    Mutant("A failure's parts are wrapped", {f"{TOLD}.failure._folded": in_one_line},
           test_failure_and_progress.test_a_failure_is_told_in_four_parts_each_wrapped_after_its_title),
    Mutant("A cause names its connection",
           {f"{TOLD}.failure.cause_of": unnamed},
           test_failure_and_progress.test_a_cause_names_the_connection_of_its_server),
]  # fmt: skip
