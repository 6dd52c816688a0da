"""R: the connection's key is replaced, by one of the same account or of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest

from contact_sync.base.errors import ConfigError
from local.sendgrid_emulator.process import Emulator, start_emulator
from tests.support.world import API_KEY, CUSTOM_FIELDS, World

OLD = "UPDATE contact_sync.ledger SET updated_at = now() - interval '1 hour'"


@pytest.fixture(scope="module")
def other_process() -> Iterator[Emulator]:
    """Another SendGrid account."""
    with start_emulator(
        api_key=API_KEY, empty_cell="keep", delay=0.05, settings={"finish_delay": 0.02}
    ) as running:
        yield running


@pytest.fixture
def other(world: World, other_process: Emulator) -> World:
    """The same sync, whose connection leads to another account of the same shape."""
    other_process.admin.reset()
    for name in CUSTOM_FIELDS:
        other_process.admin.create_field(name, "Text")
    world.redefine(list=None, on_address_change="delete")
    return replace(world, emulator=other_process, list_id=cast("str", None))  # on no list


@pytest.mark.parametrize("kind", ["incremental", "full"])
def test_R02_a_key_of_another_account_stops_the_run(world: World, other: World, kind: str) -> None:
    """Before anything is sent; when the old key is back, all goes on."""
    world.seed()
    world.run()
    world.state(OLD)
    world.edit(1, first_name="Changed")
    with pytest.raises(ConfigError, match=r"leads to another account: of 4 .* it has 0"):
        other.run(kind)
    assert other.writes() == []
    assert world.run()["counts"]["sent"] == 1


def test_R02_minutes_after_the_first_load_the_other_account_is_noticed_too(
    world: World, other: World
) -> None:
    """That a search may lag is no reason to take everybody for removed by hand; the same account
    shows them."""
    world.seed()
    world.run()
    world.edit(1, first_name="Changed")
    with pytest.raises(ConfigError, match=r"may lead to another account: of 4 .* it has 0"):
        other.run()
    assert other.writes() == []
    world.state("""UPDATE contact_sync.sync
                   SET destination = jsonb_set(destination, '{key_mark}', '"of another key"')""")
    assert world.run()["counts"]["sent"] == 1
    assert world.contact("client1@example.com")["first_name"] == "Changed"


def test_R02_a_person_may_fill_another_account(world: World, other: World) -> None:
    """By a run of mode resend; later runs are of that account."""
    world.seed()
    world.run()
    world.state(OLD)
    assert other.run("resend")["counts"]["sent"] == 4
    other.assert_converged()
    other.edit(1, first_name="Changed")
    assert other.run()["counts"]["sent"] == 1
    other.assert_converged()


def test_R02_another_key_of_the_same_account_changes_nothing(world: World) -> None:
    """As when keys are rotated: one call more, once."""
    world.seed()
    world.run()
    world.state(OLD)
    world.state("""UPDATE contact_sync.sync
                   SET destination = jsonb_set(destination, '{key_mark}', '"of another key"')""")
    before = len(world.emulator.admin.calls())
    assert world.run()["counts"]["sent"] == 0
    middle = len(world.emulator.admin.calls())
    assert world.run()["counts"]["sent"] == 0
    assert middle - before == len(world.emulator.admin.calls()) - middle + 1
