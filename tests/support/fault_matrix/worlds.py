"""The world of a cell: prepared for its call, run, and looked at."""

from __future__ import annotations

from typing import Any

import requests

from contact_sync.base.errors import SyncError
from tests.support.allowed_calls import AS_TEST
from tests.support.databases import make_batches_older
from tests.support.fault_matrix.table import ENDPOINTS, Cell, Endpoint
from tests.support.world import API_KEY, QUICK, World

NEVER_ARRIVED = ("pending", "")
"""The outcomes of a run whose upload never arrives; a fault without end has none."""
UNDELIVERED = ("spam_reports", "invalid_emails", "bounces", "blocks")
STRANGER = "stranger@example.com"
ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"


def prepare(world: World, cell: Cell) -> None:
    """Clients to be sent, and a contact to be removed or refused, in an account without delay."""
    admin, endpoint = world.emulator.admin, ENDPOINTS[cell.endpoint]
    admin.settings(delay=0, finish_delay=0)
    world.redefine(lane=endpoint.lane)
    ann = world.add(ANN, first_name="Zoë")
    world.add(BOB, status_id=1)
    prepare_consents(world, endpoint, ann)
    if endpoint.former:
        world.run()
        world.edit(ann, email=EVE)
    if endpoint.unlists:
        world.redefine(on_address_change="unlist")
    if endpoint.opted_out:
        admin.suppress(ANN)
    if endpoint.refused:
        admin.put_contacts({"email": BOB, "external_id": "omitted by the sync"})
    if cell.endpoint == "PUT upload" and cell.outcome == "once":  # its job is waited for
        world.redefine(deadlines={"job_hours": 1, "quarantine_minutes": 1})
    if cell.endpoint == "PUT upload" and cell.outcome in NEVER_ARRIVED:  # its job never starts
        world.redefine(deadlines={"job_hours": 0.0001, "quarantine_minutes": 0})


def prepare_consents(world: World, endpoint: Endpoint, ann: int) -> None:
    """Who gets no mail for a reason that SendGrid knows, or has told it B2CORE."""
    if endpoint.grouped:
        unsubscribe_from_group(world, STRANGER)
    if endpoint.asked:
        world.redefine(suppressions={})
        for kind in UNDELIVERED:
            world.emulator.admin.suppress(STRANGER, kind=kind)
    if endpoint.withdrawn:
        world.redefine(suppress_excluded=True)
        world.run()
        world.edit(ann, last_name="opted out")


def unsubscribe_from_group(world: World, email: str) -> None:
    """Somebody, who is no client, has unsubscribed from a group."""
    group = world.emulator.admin.create_group()
    url = f"{world.emulator.base_url}/v3/asm/groups/{group}/suppressions"
    key = {"Authorization": f"Bearer {API_KEY}", **AS_TEST}
    said = requests.post(url, json={"recipient_emails": [email]}, headers=key, timeout=10)
    said.raise_for_status()


def be_patient(world: World, cell: Cell) -> None:
    """Wait for jobs as usual again, but not for uploads that never arrived."""
    if cell.endpoint == "PUT upload" and cell.outcome in NEVER_ARRIVED:
        make_batches_older(world.state_url, 3600)
    world.redefine(deadlines=QUICK)


def failure(world: World) -> SyncError | None:
    """Run; returns the error."""
    try:
        world.run()
    except SyncError as error:
        return error
    return None


def made(world: World, endpoint: Endpoint) -> list[dict[str, Any]]:
    """The calls to an endpoint so far."""
    wanted = (endpoint.method, endpoint.route)
    calls = world.emulator.admin.calls()
    return [call for call in calls if (call["method"], call["route"]) == wanted]


def watermark_of(world: World) -> Any:
    """Up to where B2CORE has been read; None before the first run has ended."""
    return next((row[0] for row in world.state("SELECT watermark FROM contact_sync.sync")), None)


def books_of(world: World) -> dict[str, int]:
    """How many clients have which fate after the newest run, without zeros."""
    return {fate: n for fate, n in world.report()["books"].items() if n}
