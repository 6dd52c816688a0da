"""Refusals whose words or addresses are easily taken for something else."""

from __future__ import annotations

import pytest

from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])


def rejected(world: World) -> set[int]:
    """The rejected clients; everybody else is confirmed."""
    fates = world.fates()
    assert {fate.split(":")[0] for fate in fates.values()} <= {"confirmed", "rejected"}
    return {client for client, fate in fates.items() if fate.startswith("rejected")}


@pytest.mark.parametrize(
    "words",
    ["last_name contains forbidden characters", "phone_number: permission to use it denied",
     "first_name may not contain the word credits"],
)  # fmt: skip
@pytest.mark.parametrize("named", [True, False])
def test_C16_words_of_the_set_up_that_are_said_of_a_field_stop_nobody_else(
    world: World, words: str, named: bool
) -> None:
    """Also where SendGrid's place of the contact is none of the request's."""
    emails = world.add_clients(4)
    if named:
        world.emulator.admin.settings(refused_contacts={emails[3]: words}, error_places="next")
    else:
        world.emulator.admin.settings(refused_calls=[emails[3]], refused_calls_say=words)
    world.run()
    assert rejected(world) == {4}


@LANES
def test_D05_C09_who_has_almost_the_same_address_as_a_refused_one_is_not_refused(
    world: World, lane: str
) -> None:
    """Addresses may begin with a quote, also such as SendGrid puts around them."""
    world.redefine(lane=lane)
    emails = ["'ann@example.com", "ann@example.com", "`bob@example.com", "bob@example.com"]
    for email in emails:
        world.add(email)
    world.emulator.admin.settings(refused_emails=dict.fromkeys(emails[::2], "bad contact"))
    world.run()
    assert rejected(world) == {1, 3}
    assert set(world.contacts()) == set(emails[1::2])
