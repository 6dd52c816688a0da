"""V10: what people do by hand in SendGrid's pages, every kind at once."""

from __future__ import annotations

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.base.verdicts import Count
from contact_sync.verify.repair import repair
from local.oracle import differences, expected
from tests.support import edits_by_hand
from tests.support.damage import FOREIGN, people, put, wait
from tests.support.edits_by_hand import KINDS, rename
from tests.support.verified import found_in, verify
from tests.support.world import LIST_NAME, World


def test_V10_whatever_a_person_does_by_hand_is_found_and_repaired(world: World) -> None:
    """What is equal isn't called different, and nothing foreign, and no suppression, is touched."""
    names = [f"client{number}@example.com" for number in range(len(KINDS))]
    for email in names:
        world.add(email, first_name="Zoë", last_name="Lang", status_id=1)
    world.run()
    wanted = edits_by_hand.do_all(world, [[email] for email in names])
    untouched, suppressed = edits_by_hand.of_others(world), world.emulator.admin.suppressed()
    found = verify(world)
    by_address = {email: verdict for verdict, email in found_in(world, found)}
    assert {email: verdict for email, verdict in by_address.items() if email in names} == wanted
    assert found.counts["foreign_on_list"] == edits_by_hand.strangers(1)
    with world.sync() as sync:
        repair(sync)
    assert world.run()["counts"]["sent"] == len(wanted)
    assert edits_by_hand.of_others(world) == untouched
    assert world.emulator.admin.suppressed() == suppressed
    own = {email: c for email, c in edits_by_hand.mapped(world).items() if email in names}
    assert differences(own, expected(world.b2core_url), list_id=world.list_id) == []
    again = verify(world)
    assert again.is_equal, again.counts
    assert again.sendgrid_digest == again.b2core_digest


def test_V10_what_is_renamed_by_hand_is_told_as_such(world: World) -> None:
    """By a verification as by a run: to create the field anew would be the wrong advice. Renamed
    back, nothing is different."""
    people(world)
    with world.sync() as sync:
        field = next(field.id for field in sync.sendgrid.fields() if field.name == "Status")
    rename(world, f"field_definitions/{field}", "Stage")
    rename(world, f"lists/{world.list_id}", "Customers")
    for step in (world.run, lambda: verify(world)):
        with pytest.raises(ConfigError) as told:
            step()
        assert "field 'Status' is called 'Stage' now" in str(told.value)
        assert f"list '{LIST_NAME}' is called 'Customers' now" in str(told.value)
        assert "has no field" not in str(told.value)
    rename(world, f"field_definitions/{field}", "Status")
    rename(world, f"lists/{world.list_id}", LIST_NAME)
    assert verify(world).is_equal
    assert world.run()["counts"]["sent"] == 0


def test_V10_a_list_deleted_with_its_contacts_is_not_called_equal(world: World) -> None:
    """Everybody waits for a run then. It takes them for removed by a person: a resend brings them
    back."""
    clients = len(people(world))
    world.delete_at_sendgrid(f"lists/{world.list_id}?delete_contacts=true")
    wait(world.emulator)
    world.list_id = world.emulator.admin.create_list(LIST_NAME)
    found = verify(world)
    assert (found.counts[Count.EQUAL], found.counts[Count.WAITING]) == (0, clients)
    assert not found.is_equal
    assert world.run("resend", approve=True)["counts"]["sent"] == clients
    assert verify(world).is_equal


def test_V10_foreign_contacts_that_clients_take_over_become_theirs(world: World) -> None:
    """On the list or off it, with values that B2CORE hasn't: those go, too."""
    *_, last = people(world)
    put(world, "typed@example.com", listed=False, city="Typed", address_line_1="Typed")
    for client, email in enumerate((FOREIGN, "off." + FOREIGN), start=1):
        world.edit(client, email=email)
    world.sql("UPDATE b2core.clients SET email = 'typed@example.com' WHERE email = %s", last)
    world.run()
    world.assert_converged()
    found = verify(world)
    assert (found.is_equal, found.counts[Count.FOREIGN]) == (True, 0)
