"""Rejected clients, and values that SendGrid can't clear: kept, counted, tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from contact_sync.base.refusal_retries import next_try
from contact_sync.state import rejections
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.client import StaleClient, stale_clients
from contact_sync.state.for_people.rejected import Filter, RejectedClient, page_of_clients
from contact_sync.state.for_people.syncs import sync_rows
from tests.support.world import World

REASON = {"ann@example.com": "we don't like it"}
OLDER = """
    UPDATE contact_sync.ledger SET
        updated_at = updated_at - interval '1 day 1 minute',
        rejected_since = rejected_since - interval '1 day 1 minute',
        looked_up_at = looked_up_at - interval '1 day 1 minute'
"""


def rejected(world: World) -> list[RejectedClient]:
    """The rejected clients as `status --rejected` has them."""
    with StateDatabase(world.state_url).transaction() as cursor:
        sync = sync_rows(cursor, [world.definition.name])[world.definition.name]
        return page_of_clients(cursor, Filter(sync.sync_id), limit=10)


def test_D04_rejected_clients_are_retried_when_they_change_or_on_demand(world: World) -> None:
    """Reason, number of tries and first time are kept; nothing is retried for no reason."""
    ann = world.add("ann@example.com")
    world.add("bob@example.com")
    world.emulator.admin.settings(refused_emails=REASON)
    report = world.run()
    assert report["degraded"] == ["1 client is rejected"]
    (first,) = rejected(world)
    assert (first.client_id, first.tries) == (ann, 1)
    assert (first.reason, first.detail) == ("refused_by_sendgrid", "we don't like it")
    for kind in ("incremental", "full"):
        assert world.run(kind)["counts"]["sent"] == 0
    assert world.run(retry_rejected=True)["counts"]["to_send"] == 1
    world.edit(ann, first_name="Changed")
    assert world.run()["counts"]["to_send"] == 1
    (third,) = rejected(world)
    assert (third.tries, third.first_seen) == (3, first.first_seen)
    world.emulator.admin.settings(refused_emails={})
    assert world.run(retry_rejected=True)["degraded"] == []
    assert rejected(world) == []
    world.assert_converged()


def test_B18_rejected_clients_are_retried_when_the_mapping_changes(world: World) -> None:
    """Another mapping may be what SendGrid wants."""
    world.add("ann@example.com")
    world.emulator.admin.settings(refused_emails=REASON)
    world.run()
    world.emulator.admin.settings(refused_emails={})
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields={name: to for name, to in fields.items() if name != "Jurisdiction"})
    assert world.run()["books"]["rejected"] == 0
    assert set(world.contacts()) == {"ann@example.com"}


def test_B08_a_date_that_is_emptied_is_reported_as_stale(world: World) -> None:
    """SendGrid has no known way to clear Number and Date: client and field are named, until a new
    value comes."""
    world.emulator.admin.create_field("Registered", "Date")
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields=fields | {"Registered": "registered_on"})
    ann = world.add("ann@example.com")
    world.run()
    (created,) = world.sql("SELECT created_at FROM b2core.clients WHERE id = %s", ann)[0]
    world.sql("ALTER TABLE b2core.clients ALTER COLUMN created_at DROP NOT NULL")
    world.edit(ann, created_at=None)
    report = world.run()
    assert report["stale"] == {"Registered": 1}
    assert report["degraded"] == ["1 client has values that SendGrid can't clear"]
    with StateDatabase(world.state_url).transaction() as cursor:
        sync = sync_rows(cursor, [world.definition.name])[world.definition.name]
        stale = stale_clients(cursor, sync.sync_id, limit=10)
    assert stale == [StaleClient(ann, None, ["Registered"])]
    assert world.run()["degraded"] == ["1 client has values that SendGrid can't clear"]
    world.edit(ann, created_at=created)
    assert world.run()["degraded"] == []


@pytest.mark.parametrize("fate", ["pending", "refused", "rejected"])
def test_D04_a_client_may_be_tried_any_number_of_times(world: World, fate: str) -> None:
    """The counter of tries stops at its largest value, and no run fails for it."""
    client = world.add("ann@example.com")
    world.run()
    world.state("UPDATE contact_sync.ledger SET tries = 32767")
    world.edit(client, first_name="New", email=None if fate == "rejected" else "ann@example.com")
    if fate == "pending":
        world.forget_a_job()
    elif fate == "refused":
        world.refuse("ann@example.com")
    assert world.run()["books"][fate.replace("refused", "rejected")] == 1
    assert world.state("SELECT tries FROM contact_sync.ledger") == [(32767,)]


def test_D04_whom_sendgrid_rejected_is_tried_again_ever_more_rarely(world: World) -> None:
    """A refusal may have been SendGrid's state: nobody is forgotten, and nobody asked for each day.
    Who is rejected for a value of B2CORE's isn't sent."""
    ann = world.add("ann@example.com")
    world.add("not an address")
    world.emulator.admin.settings(refused_emails=REASON)
    world.run()
    tried = []
    for _day in range(20):
        world.state(OLDER)
        tried.append(world.run()["counts"]["to_send"])
    assert [day for day, n in enumerate(tried, 1) if n] == [1, 3, 7, 14]
    assert world.run()["is_degraded"] is False
    world.emulator.admin.settings(refused_emails={})
    for _day in range(7):
        world.state(OLDER)
        world.run()
    assert world.fates()[ann] == "confirmed"


def test_D04_the_page_says_when_a_rejected_client_is_tried_next(world: World) -> None:
    """What it says is what the statement does that makes clients pending: not before, and from then
    on; whenever they were rejected first and last."""
    world.add_clients(1)
    world.run()
    now = datetime.now(UTC)
    moments = {
        100 + n: (now - timedelta(hours=last + before), now - timedelta(hours=last))
        for n, (last, before) in enumerate(product((1, 23, 25, 60, 167, 169), (0, 20, 50, 400)))
    }
    for client_id, (first, last) in moments.items():
        world.state(
            """INSERT INTO contact_sync.ledger
                   (sync_id, client_id, state, email_hash, field, reason, rejected_since,
                    updated_at)
               SELECT sync_id, %s, 'rejected', %s, 'contact', 'refused_by_sendgrid', %s, %s
               FROM contact_sync.sync""",
            client_id, client_id, first, last,
        )  # fmt: skip
    with StateDatabase(world.state_url).transaction() as cursor:
        rejections.retry(cursor, 1, hours=24, at_most=100)
    due = {client_id for client_id, fate in world.fates().items() if "pending" in fate}
    assert due == {client for client, seen in moments.items() if next_try(*seen, 24) <= now}
    assert 0 < len(due) < len(moments)
