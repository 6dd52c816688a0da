"""What others do at SendGrid: people and tools that edit contacts, in fields of theirs."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.world import World


@pytest.fixture
def account(world: World) -> dict[str, str]:
    """Lists and fields of others, by a short name: their ids."""
    admin = world.emulator.admin
    fields = {"Notes": "Text", "Score": "Number", "Met": "Date"}
    lists = {name: admin.create_list(name) for name in ("vip", "news")}
    return lists | {name: admin.create_field(name, kind) for name, kind in fields.items()}


def put(world: World, contact: dict[str, Any], *lists: str) -> None:
    """Edit a contact as a person or another tool does, and wait until that is done."""
    job = world.emulator.admin.put_contacts(contact, list_ids=list(lists))
    for _ in range(200):
        found = next(each for each in world.emulator.admin.jobs() if each["id"] == job)
        if found["status"] != "pending":
            assert found["status"] == "completed", found
            return
        time.sleep(0.02)
    raise AssertionError("the edit takes too long")


def lists_of(world: World, email: str) -> set[str]:
    """The other lists that a contact is on."""
    return set(world.contacts()[email]["list_ids"]) - {world.list_id}


def others_of(world: World, email: str) -> dict[str, Any]:
    """The values of the fields that the sync doesn't fill."""
    contact = world.contacts()[email]
    held = {name: contact["custom_fields"].get(name) for name in ("Notes", "Score", "Met")}
    return {k: v for k, v in {**held, "line": contact["line"]}.items() if v not in (None, "")}
