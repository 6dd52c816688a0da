"""A: what changed in B2CORE is found, in both ways to detect changes."""

from __future__ import annotations

import time

import psycopg
import pytest

from contact_sync.b2core import position
from contact_sync.base.errors import RetryableError
from contact_sync.run import in_one_process
from tests.support.world import World

BOTH = pytest.mark.parametrize("detection", ["xmin", "updated_at"])
LATER = "updated_at = clock_timestamp()"


def start(world: World, detection: str) -> None:
    """Two clients with a phone and an address, loaded."""
    world.redefine(source={"change_detection": detection, "overlap_minutes": 1})
    for number in (1, 2):
        world.add(f"client{number}@example.com", phone=f"+4179000000{number}",
                  address={"city": "Zürich", "country_id": 1})  # fmt: skip
    world.sql("UPDATE b2core.clients SET updated_at = now() - interval '1 hour'")
    world.sql("UPDATE b2core.client_phones SET updated_at = now() - interval '1 hour'")
    world.sql("UPDATE b2core.client_addresses SET updated_at = now() - interval '1 hour'")
    world.run()


@BOTH
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO b2core.clients (email, first_name) VALUES ('client3@example.com', 'Neo')",
        f"UPDATE b2core.clients SET first_name = 'Ana', {LATER} WHERE id = 1",
        f"UPDATE b2core.client_phones SET phone = '+41790000009', {LATER} WHERE client_id = 1",
        "INSERT INTO b2core.client_phones (client_id, phone, confirmed)"
        " VALUES (1, '+41790000009', true)",
        f"UPDATE b2core.client_addresses SET city = 'Bern', {LATER} WHERE client_id = 1",
        "UPDATE b2core.clients SET email = 'moved@example.com' WHERE id = 1",
        "UPDATE b2core.clients SET first_name = 'Ana', updated_at = NULL WHERE id = 1",
    ],
    ids=["new client", "client", "phone", "new phone", "address", "e-mail", "A13 no date"],
)
def test_A05_a_change_is_sent_by_the_next_run(world: World, detection: str, statement: str) -> None:
    """Client, phone, address or e-mail: one client is sent, nobody else is."""
    start(world, detection)
    world.sql(statement)
    report = world.run()
    assert (report["kind"], report["counts"]["sent"]) == ("incremental", 1)
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


@BOTH
def test_a_client_that_changed_in_three_tables_is_read_once(world: World, detection: str) -> None:
    """And counted and sent once."""
    start(world, detection)
    for table, column in (("clients", "id"), ("client_phones", "client_id"),
                          ("client_addresses", "client_id")):  # fmt: skip
        world.sql(f"UPDATE b2core.{table} SET {LATER} WHERE {column} = 1")
    world.sql("UPDATE b2core.clients SET first_name = 'Ana' WHERE id = 1")
    counts = world.run()["counts"]
    assert (counts["read"], counts["sent"]) == (1, 1)
    world.assert_converged()


@pytest.mark.parametrize(
    ("detection", "found_by"), [("xmin", "incremental"), ("updated_at", "full")]
)
@pytest.mark.parametrize(
    ("statement", "clients"),
    [
        ("UPDATE b2core.clients SET first_name = 'Ana' WHERE id = 1", 1),
        ("UPDATE b2core.client_statuses SET name = 'On' WHERE id = 1", 2),
    ],
    ids=["A04 not bumped", "A07 renamed lookup"],
)
def test_A04_A07_changes_without_a_date(
    world: World, detection: str, found_by: str, statement: str, clients: int
) -> None:
    """xmin sees them at once, updated_at by the next full run."""
    start(world, detection)
    world.sql("UPDATE b2core.clients SET updated_at = now() - interval '1 hour'")
    world.run()
    world.sql(statement)
    sent = world.run()["counts"]["sent"]
    assert sent == (clients if found_by == "incremental" else 0)
    if found_by == "full":
        world.state("UPDATE contact_sync.sync SET last_full_at = now() - interval '25 hours'")
        report = world.run()
        assert (report["kind_reason"], report["kind_detail"]) == ("full_run_due", "24")
        assert report["counts"]["sent"] == clients
    world.assert_converged()


@BOTH
def test_A01_late_commit(world: World, detection: str) -> None:
    """A transaction that was open during a run and committed after it is found by the next."""
    start(world, detection)
    with psycopg.connect(world.b2core_url) as late:
        late.execute(
            "UPDATE b2core.clients SET first_name = 'Late', updated_at = now() WHERE id = 1"
        )
        world.add("client3@example.com")
        assert world.run()["counts"]["sent"] == 1
        late.commit()
    report = world.run()
    assert (report["kind"], report["counts"]["sent"]) == ("incremental", 1)
    assert world.contact("client1@example.com")["first_name"] == "Late"


def test_A01_a_commit_later_than_the_overlap_is_found_by_a_full_run(world: World) -> None:
    """updated_at only: the documented limit of that mode, and its fix."""
    start(world, "updated_at")
    world.sql(
        "UPDATE b2core.clients SET first_name = 'Late', updated_at = now() - interval '2 min'"
    )
    assert world.run()["counts"]["sent"] == 0
    assert world.run("full")["counts"]["sent"] == 2
    world.assert_converged()


@BOTH
@pytest.mark.parametrize("table", ["client_phones", "client_addresses"])
def test_A06_a_deleted_child_row_is_cleared_by_a_full_run(
    world: World, detection: str, table: str
) -> None:
    """No cursor of any kind moves when a phone or an address is deleted."""
    start(world, detection)
    world.sql(f"DELETE FROM b2core.{table} WHERE client_id = 1")
    report = world.run("full")
    assert report["counts"]["cleared"] == report["counts"]["sent"] == 1
    world.assert_converged()


def test_A10_a_date_in_the_future_moves_no_watermark(world: World) -> None:
    """A client stamped two hours ahead is sent once, and later changes of others are found."""
    start(world, "updated_at")
    world.sql("UPDATE b2core.clients SET first_name = 'Eve', updated_at = now() + interval '2 h'"
              " WHERE id = 1")  # fmt: skip
    assert world.run()["counts"]["sent"] == 1
    world.sql(f"UPDATE b2core.clients SET first_name = 'Ana', {LATER} WHERE id = 2")
    assert world.run()["counts"]["sent"] == 1
    world.assert_converged()


def test_A08_a_deleted_client_is_counted_and_stops_no_run(world: World) -> None:
    """The books name it as gone; its contact is not touched."""
    start(world, "xmin")
    world.sql("DELETE FROM b2core.clients WHERE id = 1")
    books = world.run()["books"]
    assert (books["selected"], books["gone"]) == (1, 1)
    assert set(world.contacts()) == {"client1@example.com", "client2@example.com"}


def test_A16_another_server_makes_the_run_full(world: World) -> None:
    """After a failover or restore transaction numbers say nothing."""
    start(world, "xmin")
    world.state("""UPDATE contact_sync.sync
                   SET watermark = watermark || '{"system_identifier": "7"}'""")
    report = world.run()
    assert report["kind"] == "full"
    assert report["kind_reason"] == "server_replaced"


def test_A18_a_stale_source_fails_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it is two hours behind: nothing is read from it, and the watermark stays."""
    start(world, "xmin")
    mark, calls = world.state("SELECT watermark FROM contact_sync.sync"), world.writes()
    world.edit(1, first_name="Ana")
    lag, primary = position.PARTS["lag_seconds"], "WHEN NOT pg_is_in_recovery() THEN 0"
    assert primary in lag.sql
    stale = lag._replace(sql=lag.sql.replace(primary, primary.replace("0", "7200")))
    monkeypatch.setitem(position.PARTS, "lag_seconds", stale)
    monkeypatch.setattr(in_one_process, "READ_PAUSE", 0.0)
    with pytest.raises(RetryableError, match="the standby is 120 minutes behind its primary"):
        world.run()
    assert (world.state("SELECT watermark FROM contact_sync.sync"), world.writes()) == (mark, calls)


def test_switching_the_change_detection_makes_the_run_full(world: World) -> None:
    """A watermark of one mode is not used by the other."""
    start(world, "xmin")
    world.redefine(source={"change_detection": "updated_at"})
    assert world.run()["kind_reason"] == "detection_switched"


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_unchanged_data_sends_nothing(world: World, lane: str) -> None:
    """Neither an incremental nor a full run makes a call that could change the account."""
    world.redefine(lane=lane)
    world.seed()
    world.run()
    before = world.writes()
    assert world.run()["counts"]["sent"] == 0
    full = world.run("full")
    assert (full["counts"]["read"], full["counts"]["unchanged"]) == (6, 4)
    assert world.writes() == before


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_resend_repairs_what_a_full_run_leaves_alone(world: World, lane: str) -> None:
    """A full run compares with what SendGrid confirmed; a resend sends everything again."""
    world.redefine(lane=lane)
    world.seed()
    world.run()
    world.emulator.admin.put_contacts({"email": "client1@example.com", "city": "Elsewhere"})
    assert world.run("full")["counts"]["sent"] == 0
    assert world.contact("client1@example.com")["city"] == "Elsewhere"
    again = world.run("resend")
    assert again["counts"]["sent_again"] == again["counts"]["sent"] == 4
    world.assert_converged()


def test_a_full_run_sends_only_what_differs(world: World) -> None:
    """One of four clients changed: one contact leaves."""
    world.seed()
    world.run()
    world.edit(1, first_name="Ana")
    counts = world.run("full")["counts"]
    assert (counts["sent"], counts["changed"], counts["unchanged"]) == (1, 1, 3)
    world.assert_converged()


def test_F10_a_contact_deleted_by_hand_comes_back_with_a_resend(world: World) -> None:
    """The ledger says that SendGrid has it; only `resend` doesn't ask the ledger."""
    world.seed()
    world.run()
    contact = world.contacts()["client1@example.com"]["id"]
    world.delete_at_sendgrid(f"contacts?ids={contact}")
    until = time.monotonic() + 10
    while "client1@example.com" in world.contacts():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert world.run("full")["counts"]["sent"] == 0
    world.run("resend")
    world.assert_converged()
