"""Every request of a sync is one that Twilio's own description of the API allows."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from tests.support import openapi
from tests.support.world import World

SENDGRID = "/v3/marketing"
EXPECTED = {
    "delete": {f"PUT {SENDGRID}/contacts", f"DELETE {SENDGRID}/contacts"},
    "unlist": {f"PUT {SENDGRID}/contacts/imports", f"DELETE {SENDGRID}/lists/{{id}}/contacts"},
}


def requests_of(world: World) -> dict[str, list[str]]:
    """Each call to the API that was accepted, and where it isn't as described."""
    found: dict[str, list[str]] = {}
    for call in world.emulator.admin.calls():
        if call["origin"] == "api" and call["status"] < 300 and not call["by_test"]:
            operation = openapi.operation_of(call["method"], call["path"])
            assert operation is not None, f"{call['method']} {call['route']} is described nowhere"
            raw = world.emulator.admin.call_body(call["number"]) if call["request_bytes"] else b""
            body = json.loads(raw) if raw else None
            names = set(parse_qs(call["query"], keep_blank_values=True))
            name = f"{call['method']} {operation.path}"
            wrong = openapi.request_deviations(operation, names, body)
            found.setdefault(name, []).extend(
                what for what in wrong if f"{name} {what}" not in openapi.KNOWN
            )
    return found


@pytest.mark.parametrize(("lane", "removal"), [("json", "delete"), ("csv", "unlist")])
def test_every_request_of_a_sync_is_as_described(
    consenting: World, lane: str, removal: str
) -> None:
    """First load, changes, a moved person with opt-outs, an exclusion, a deletion."""
    world = consenting
    world.redefine(lane=lane, on_exclusion=removal, on_client_deleted=removal)
    world.add_clients(6)
    world.run()
    world.emulator.admin.create_group()
    world.emulator.admin.suppress("client1@example.com")
    world.edit(1, email="moved@example.com")
    world.edit(2, first_name="Changed", last_name=None)
    world.sql("UPDATE b2core.clients SET last_name = 'opted out' WHERE id = 3")
    world.sql("DELETE FROM b2core.clients WHERE id = 4")
    for _ in range(3):
        world.run("full", approve_removals=1)
    calls = requests_of(world)
    assert {name: wrong for name, wrong in calls.items() if wrong} == {}
    assert EXPECTED[removal] <= set(calls)
