"""V11: a ledger that is lost or restored is filled from a verification; the next run sends the
rest only."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.run.check_setup import check_setup
from contact_sync.state import runs
from contact_sync.verify.rebuild import prepare, rebuild
from tests.support.damage import lose_state, put
from tests.support.findings import verified
from tests.support.kept_mark import KeptMark
from tests.support.world import World

ANN = "client1@example.com"
RESTORED = "UPDATE contact_sync.state_identity SET timeline = timeline"
"""Leaves the row of evidence as a restore does."""
PROOFS = """SELECT client_id, email, email_hash, row_hash, filled, 0 FROM contact_sync.ledger
            WHERE state = 'confirmed'"""


def rebuilt(world: World, proofs: list[tuple[Any, ...]], *found: tuple[str, int, str]) -> int:
    """Fill the ledger, as after a verification that read these clients and found `found`."""
    with world.sync() as sync:
        with sync.state.transaction() as cursor:
            runs.ensure_sync(cursor, world.definition.name)
        number = verified(world, *found, fields=["first_name"])
        for proof in proofs:
            world.state(
                "INSERT INTO contact_sync.verify_proof VALUES (%s, %s, %s, %s, %s, %s, %s)",
                number, *proof,
            )  # fmt: skip
        mapping = check_setup(sync, None)
        return rebuild(sync, number, mapping, datetime.now(UTC))


def test_V11_a_lost_state_database_costs_only_what_differs(world: World) -> None:
    """The first load after it confirms the equal ones without a call, and sends the one."""
    world.hash_keys = None  # a lost database has no key: the proofs aren't made with one
    world.seed()
    world.run()
    proofs = world.state(PROOFS)
    lose_state(world)
    put(world, ANN, first_name="Eve")
    assert rebuilt(world, proofs, ("different", 1, ANN)) == len(proofs) - 1
    report = world.run()
    assert (report["kind"], report["kind_reason"]) == ("full", "first_load")
    assert (report["counts"]["sent"], report["books"]["confirmed"]) == (1, len(proofs))
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


@pytest.mark.parametrize("mark", [True, False], ids=["mark", "no mark"])
def test_V11_a_restored_state_database_is_believed_again(world: World, *, mark: bool) -> None:
    """No run sends everything; who wasn't found equal is sent, and it stays so."""
    world = replace(world, marks=KeptMark() if mark else None)
    world.seed()
    world.run()
    proofs = world.state(PROOFS)
    world.state(RESTORED)
    with world.sync() as sync:
        assert prepare(sync) == 0
    assert world.state("SELECT unproven FROM contact_sync.sync") == [("state_restored",)]
    put(world, ANN, first_name="Eve")
    rebuilt(world, [proof for proof in proofs if proof[0] != 2], ("different", 1, ANN))
    assert world.fates()[1] == "pending: found_different"
    assert world.fates()[2] == "pending: state_unproven"
    report = world.run()
    assert (report["kind"], report["counts"]["sent"]) == ("incremental", 2)
    world.assert_converged()
    report = world.run()
    assert (report["kind"], report["counts"]["sent"]) == ("incremental", 0)


def test_V11_requests_that_are_forgotten_are_waited_for(world: World) -> None:
    """What is exported before they have taken effect isn't what they leave."""
    world.redefine(deadlines={"quarantine_minutes": 30})
    world.seed()
    world.run()
    world.state(RESTORED)
    with world.sync() as sync:
        assert 1_700 < prepare(sync) <= prepare(sync) + 60 < 1_900
        assert world.run("full", dry_run=True)["kind_reason"] == "state_restored"


def test_V11_what_a_run_has_written_meanwhile_stays(world: World) -> None:
    """B2CORE was read before: the ledger knows better by now."""
    client = world.add(ANN, first_name="Ann")
    world.run()
    old = world.state(PROOFS)
    before = datetime.now(UTC)
    world.edit(client, first_name="Anna")
    world.run()
    new = world.state(PROOFS)
    number = verified(world)
    world.state("INSERT INTO contact_sync.verify_proof VALUES (%s, %s, %s, %s, %s, %s, %s)",
                number, *old[0])  # fmt: skip
    with world.sync() as sync:
        assert rebuild(sync, number, check_setup(sync, None), before) == 0
    assert world.state(PROOFS) == new


def test_V11_the_former_address_of_a_client_that_moved_is_found(world: World) -> None:
    """The restored ledger has the one, B2CORE and SendGrid's contact the other one."""
    client = world.add(ANN)
    world.run()
    ((_, _, old_hash, row_hash, filled, person),) = world.state(PROOFS)
    world.state(RESTORED)
    world.edit(client, email="moved@example.com")
    put(world, "moved@example.com", first_name="Ann")
    with world.sync() as sync:
        prepare(sync)
    moved = (client, "moved@example.com", old_hash + 1, row_hash, filled, person)
    rebuilt(world, [moved])
    assert world.state("SELECT email, why FROM contact_sync.removal") == [(ANN, "address_changed")]


def test_V11_fields_that_have_changed_places_are_refused(world: World) -> None:
    """The masks would mean other fields."""
    world.seed()
    world.run()
    world.state("UPDATE contact_sync.sync SET fields = array_prepend('another', fields)")
    with pytest.raises(FatalError, match="A run has changed the mapping since"):
        rebuilt(world, world.state(PROOFS))
