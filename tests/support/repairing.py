"""A repair that is killed: what comes before it, and itself."""

from __future__ import annotations

from contact_sync.verify.repair import repair
from tests.support.findings import verified
from tests.support.world import World


def damaged(world: World) -> None:
    """A contact was edited at SendGrid, and a verification has found it."""
    client = world.add("client1@example.com", first_name="Ann")
    world.run()
    edited = {"email": "client1@example.com", "first_name": "Eve"}
    world.emulator.admin.put_contacts(edited, list_ids=[world.list_id])
    verified(world, ("different", client, "client1@example.com"), fields=["first_name"])


def repaired(world: World) -> None:
    """The next run is told to put it right."""
    with world.sync() as sync:
        repair(sync)
