"""A14: a run that reads only what changed chooses whom one chooses that reads everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.look_histories import histories
from tests.support.world import World, opt_out_column


@pytest.mark.parametrize(
    "n", [pytest.param(40, id="some"), pytest.param(2_000, id="many", marks=pytest.mark.slow)]
)
def test_A14_the_short_way_and_the_long_way_choose_the_same_clients(
    own_tables: World, tmp_path: Path, n: int
) -> None:
    """In random histories with shared addresses, exclusions, absences, late commits and counts."""
    own_tables.sql_folder = opt_out_column(own_tables.sql_folder, tmp_path / "b2core")
    with histories(own_tables, seed=n) as found:
        for _ in range(n):
            found.history()
    assert found.compared > n
    assert {"changes counts", "nothing counts"} <= set(found.looks)
    print(found.looks, found.compared)
