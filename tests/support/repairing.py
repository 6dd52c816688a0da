"""A rebuild and a repair that are killed: what comes before them, and themselves."""

from __future__ import annotations

from datetime import UTC, datetime

from contact_sync.run.check_setup import check_setup
from contact_sync.verify.rebuild import prepare, rebuild
from contact_sync.verify.repair import repair
from tests.support.findings import verified
from tests.support.world import World

POINTS = {"doubt_uncommitted", "rebuild_uncommitted", "repair_uncommitted"}
"""The names that both give to `reach`."""


def damaged(world: World) -> None:
    """The state database was restored, a contact was edited at SendGrid, and a verification has
    found it."""
    client = world.add("client1@example.com", first_name="Ann")
    world.add("client2@example.com")
    world.run()
    world.state("UPDATE contact_sync.state_identity SET timeline = timeline")
    edited = {"email": "client1@example.com", "first_name": "Eve"}
    world.emulator.admin.put_contacts(edited, list_ids=[world.list_id])
    verified(world, ("different", client, "client1@example.com"), fields=["first_name"])


def rebuilt_and_repaired(world: World) -> None:
    """The ledger is believed again, and the next run is told to put right what was found."""
    with world.sync() as sync:
        prepare(sync)
        ((number,),) = world.state("SELECT verification_id FROM contact_sync.verification")
        rebuild(sync, number, check_setup(sync, None), datetime.now(UTC))
        repair(sync)
