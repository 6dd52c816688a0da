"""Histories that were found, or that show that the oracle sees what it is for: each begins alike,
and ends with all promises (tests/stateful/promises.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stateful import accidents
from tests.stateful.accidents import Accidents
from tests.stateful.office import OPTED_OUT

DELETE = dict.fromkeys(("change", "lost", "gone", "exclusion"), "delete")
RENAME = "UPDATE b2core.clients SET first_name = %(name)s WHERE id = %(id)s"
OPT_OUT = "UPDATE b2core.clients SET last_name = %(name)s WHERE id = %(id)s"
MOVE = "UPDATE b2core.clients SET email = %(email)s WHERE id = %(id)s"


@pytest.fixture
def history(parts: dict[str, Any]) -> Iterator[Accidents]:
    """Three clients are at SendGrid, and the night's backups are taken; without an error, the test
    ends as a history does."""
    made = type("Directed", (Accidents,), parts)()
    made.begin(
        lane="auto", clients=["ana@example.com", "ben@example.com"], imported=False, switches={},
        lag=0.0, every=100,
    )  # fmt: skip
    made.plan_backups(keep_for=1)
    made.write_policies(**DELETE)
    made.run(mode="incremental", retry_rejected=False)
    made.go_on()
    made.keep_for = 100
    yield made
    made.teardown()


def run(history: Accidents) -> None:
    """An ordinary run."""
    history.go_on()
    history.run(mode="incremental", retry_rejected=False)
    history.go_on()


def test_P05_a_value_that_went_there_and_back_across_a_restore(history: Accidents) -> None:
    """The restored ledger says that SendGrid has the old value already."""
    history.edit(RENAME, id=2, name="Bea")
    run(history)
    history.edit(RENAME, id=2, name="Ann")
    history.restore(office=False)


def test_P05_B2CORE_is_restored_with_the_state(history: Accidents) -> None:
    """Both are of the same night, and SendGrid isn't."""
    history.edit(RENAME, id=2, name="Bea")
    history.edit(MOVE, id=3, email="second@example.com")
    run(history)
    history.restore(office=True)


def test_P05_a_client_that_came_and_was_excluded_across_a_restore(history: Accidents) -> None:
    """The restored state knows nothing of it."""
    history.register("cleo@example.com")
    run(history)
    history.edit(OPT_OUT, id=4, name=OPTED_OUT)
    history.restore(office=False)


def test_P05_an_address_that_changed_across_a_restore(history: Accidents) -> None:
    """The restored state knows of the first address; of the second only SendGrid does."""
    history.edit(MOVE, id=2, email="second@example.com")
    run(history)
    history.edit(MOVE, id=2, email="third@example.com")
    history.restore(office=False)


def test_P06_a_client_is_excluded_while_the_state_is_lost(history: Accidents) -> None:
    """The contact is looked up by the first load."""
    history.lose_state()
    history.edit(OPT_OUT, id=2, name=OPTED_OUT)


def test_R01_a_restore_under_the_former_name(history: Accidents) -> None:
    """The sync is called again what it was called when the backup was taken."""
    history.rename_sync()
    history.edit(RENAME, id=2, name="Bea")
    run(history)
    history.restore(office=False)


def test_R02_another_account_in_the_middle(history: Accidents) -> None:
    """Nothing is sent there; here it goes on, also with what was open."""
    history.edit(RENAME, id=2, name="Bea")
    history.take_another_account(mode="incremental")
    history.edit(MOVE, id=3, email="second@example.com")
    history.run_that_dies(mode="incremental", point="removals_planned", how="KILL")
    history.take_another_account(mode="full")


def test_R02_another_account_settles_no_removal_of_this_one(history: Accidents) -> None:
    """That it doesn't show the contact proves nothing."""
    history.edit(MOVE, id=3, email="second@example.com")
    history.break_a_job(what={"kind": "no_effect"}, job="delete")
    history.run_that_dies(mode="incremental", point="removal_looked_at", how="KILL")
    history.world.emulator.admin.clear_faults()
    history.take_another_account(mode="incremental")


def test_R03_a_table_made_again_in_a_run(history: Accidents) -> None:
    """Twice, and with phones in it."""
    history.add_phone(n=1, phone="+41790000001")
    history.replace_table_in_a_run(how=accidents.MADE_AGAIN, mode="full")
    history.replace_table_in_a_run(how=accidents.RELOAD, mode="incremental")
    history.replace_table(how=accidents.MADE_AGAIN)


def test_A17_an_office_that_is_restored_gives_its_ids_again(history: Accidents) -> None:
    """Whoever came since is gone, and another one has the id."""
    history.register("cleo@example.com")
    run(history)
    history.restore_office()
    history.register("dan@example.com")
    run(history)


def test_B03_an_opt_out_stays_with_its_person(history: Accidents) -> None:
    """A move, and a note that goes along."""
    history.unsubscribe(n=1, moves=False)
    history.note(n=1, moves=True)
    assert history.opt_outs
    assert history.notes
    run(history)
    history.move_to_a_new_address(2)


def test_B03_an_opt_out_is_not_the_next_persons_with_the_id(history: Accidents) -> None:
    """Deleted, and given to somebody else at once."""
    history.world.emulator.admin.suppress("ana@example.com")
    history.unsubscribed.add("ana@example.com")
    history.reuse_id(n=1, email="dan@example.com")


def test_E02_who_was_erased_registers_again(history: Accidents) -> None:
    """And once more, while a run dies; nobody else is touched."""
    history.erase(n=0, returns=True)
    assert history.erased == {2, "ana@example.com"}
    history.run_that_dies(mode="incremental", point="run_planned", how="KILL")
    history.erase(n=0, returns=False)
    run(history)
    history.register("ben@example.com")


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_P12_a_clock_that_jumps(history: Accidents, hours: int) -> None:
    """While the fate of a request isn't known."""
    history.edit(RENAME, id=2, name="Bea")
    history.break_a_call(("PUT", "/v3/marketing/contacts"), {"reset": True, "when": "after"}, 1)
    run(history)
    history.jump(hours)


def test_S13_a_list_that_is_left_and_taken_again(history: Accidents) -> None:
    """Who is excluded meanwhile isn't on it."""
    history.change_list(policy="keep")
    run(history)
    history.edit(OPT_OUT, id=2, name=OPTED_OUT)
    history.write_policies(**dict.fromkeys(DELETE, "unlist"))
    run(history)
    history.change_list(policy="keep")


def test_B18_a_field_that_is_not_mapped_for_a_while(history: Accidents) -> None:
    """Emptied in B2CORE meanwhile."""
    history.add_city(n=1, city="Zürich")
    run(history)
    history.change_mapping(left_out={"city"})
    history.edit("UPDATE b2core.client_addresses SET city = NULL")
    run(history)
