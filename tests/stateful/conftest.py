"""What a history needs: an empty world again and again, and a second account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.sendgrid_emulator.process import Emulator, start_emulator
from tests.stateful import child
from tests.support import canary
from tests.support.consents import opt_out_column
from tests.support.databases import Shared, empty, empty_b2core
from tests.support.world import API_KEY, CUSTOM_FIELDS, LIST_NAME, World


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
        world.audit.forget()  # looked at by the history that has ended
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


@pytest.fixture
def parts(
    fresh: Callable[[], World], state_database: Shared, other_account: Emulator
) -> dict[str, Any]:
    """What a class of machines lacks."""
    return {
        "fresh": staticmethod(fresh), "state_owner": state_database.whole(),
        "other_account": other_account,
    }  # fmt: skip
