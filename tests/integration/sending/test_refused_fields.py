"""What takes the place of a refused text, and a field that SendGrid refuses of everybody."""

from __future__ import annotations

import pytest

from tests.integration.sending.test_refused_values import WAYS, refusing
from tests.support.world import World


@WAYS
def test_B22_D15_what_is_there_in_place_of_a_refused_text_is_cleared(
    world: World, lane: str, by: str
) -> None:
    """Nobody knows what a contact that was there before holds, so nothing is left of it."""
    world.redefine(lane=lane)
    contact = {"email": "ann@example.com", "city": "Paris"}
    world.emulator.admin.put_contacts(contact)
    refusing(world, "Bern", name="city", refused_values_by=by)
    world.add("ann@example.com", address={"city": "Bern"})
    assert world.run()["books"]["confirmed"] == 1
    assert "city" not in world.contact("ann@example.com")


@WAYS
@pytest.mark.parametrize("clients", [2, 3])
def test_D15_a_field_that_is_refused_of_everybody_is_told_in_one_sentence(
    world: World, lane: str, by: str, clients: int
) -> None:
    """Not the values are at fault. Of two clients it may be chance; one who is taken proves it."""
    world.redefine(lane=lane)
    refusing(world, "*", refused_values_by=by)
    for n in range(clients):
        world.add(f"client{n}@example.com", phone=f"+4179000000{n}")
    told = [what for what in world.run()["degraded"] if "left out everywhere" in what]
    assert [what.split(" is")[0] for what in told] == ["1 field"] * (clients >= 3)


def test_D15_a_field_of_which_one_value_is_taken_is_not_at_fault(world: World) -> None:
    """Three of four are refused."""
    refusing(world, *(f"+4179000000{n}" for n in range(3)))
    for n in range(4):
        world.add(f"client{n}@example.com", phone=f"+4179000000{n}")
    assert world.run()["degraded"] == []
