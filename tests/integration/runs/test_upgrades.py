"""P14: the state database of an earlier version of this code, and of a newer one."""

from __future__ import annotations

import time

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.payloads import values_of
from contact_sync.run.context import mapping_of, open_run
from contact_sync.run.find_removals import find_removals
from contact_sync.run.finish_run import finish_run
from contact_sync.run.send_batch import send_batch
from contact_sync.run.start_run import start_run
from contact_sync.state.database import SCHEMA_VERSION
from contact_sync.state.migrate import migrate
from local.postgres.server import Cluster
from tests.integration.runs.test_crash import assert_recovers, crashing
from tests.support.crashes import KINDS
from tests.support.hash_keys import HASH_KEYS
from tests.support.killed import hit
from tests.support.old_schema import (
    COLUMNS,
    OF_0005,
    as_administrator,
    as_rows,
    empty_schema,
    go_back_to,
    upgrade_to,
)
from tests.support.steps import go_on
from tests.support.world import World

pytestmark = pytest.mark.own_connections
__all__ = ["crashing"]


@pytest.fixture(autouse=True)
def no_key(world: World) -> None:
    """Hashes of before had none."""
    world.hash_keys = None


@pytest.fixture
def old_schema(world: World, cluster: Cluster) -> World:
    """The world with the first version's tables and some rows in them."""
    with as_administrator(world, cluster) as administrator:
        empty_schema(administrator)
    upgrade_to(world.state_url, "0001")
    world.seed()
    world.state("INSERT INTO contact_sync.sync (name, epoch) VALUES ('demo', 7)")
    world.state(
        """INSERT INTO contact_sync.ledger
               (sync_id, client_id, state, email_hash, email, contact_hash, row_hash, filled)
           VALUES (1, 1, 'confirmed', 1, 'former@example.com', 1, 1, 0)"""
    )
    world.state(
        """INSERT INTO contact_sync.obsolete_address (sync_id, email, email_hash, client_id)
           VALUES (1, 'older@example.com', 2, 1)"""
    )
    return world


def test_P14_an_upgrade_keeps_what_the_first_version_stored(old_schema: World) -> None:
    """Contacts of before are known: their clients' former addresses are removed by the next run."""
    world = old_schema
    world.emulator.admin.put_contacts(
        {"email": "former@example.com"}, {"email": "older@example.com"}, list_ids=[world.list_id]
    )
    migrate(world.state_url)
    assert world.state("SELECT name, epoch FROM contact_sync.sync") == [("demo", 7)]
    world.run()
    world.assert_converged()


def test_P14_a_half_done_upgrade_leaves_the_old_schema(old_schema: World) -> None:
    """It is one transaction; the message doesn't hide that it failed, and repeating it works."""
    world = old_schema
    version = "SELECT version_num FROM contact_sync.alembic_version"
    world.state("CREATE TABLE contact_sync.removal ()")
    with pytest.raises(ConfigError, match=r"can't be migrated \(42P07\)"):
        migrate(world.state_url)
    assert world.state(version) == [("0001",)]
    with pytest.raises(ConfigError, match="version 0001, this code needs"):
        world.run()
    world.state("DROP TABLE contact_sync.removal")
    migrate(world.state_url)
    assert world.state(version) == [(SCHEMA_VERSION,)]


def test_P14_old_code_refuses_a_newer_schema(world: World) -> None:
    """Both versions are named, and nothing is sent."""
    world.seed()
    world.state("UPDATE contact_sync.alembic_version SET version_num = '9999'")
    with pytest.raises(
        ConfigError,
        match=f"version 9999, newer than this code's {SCHEMA_VERSION}: use the newer code",
    ):
        world.run()
    assert world.emulator.admin.calls() == []


def old_payload(payload: str, mapping: Mapping) -> str:
    """The form of before 0005: values alone, joined by U+001F."""
    return "\x1f".join(values_of(payload, mapping))


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_P14_contacts_in_flight_are_turned_by_an_upgrade(
    world: World, cluster: Cluster, lane: str
) -> None:
    """Staged by the version before: the same payloads as if this one had staged them."""
    world.seed()
    world.emulator.admin.create_field("Registered", "Date")
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(lane=lane, fields=fields | {"Registered": "registered_on"})
    world.sql("UPDATE b2core.clients SET created_at = '2024-02-29', first_name = %s", 'A "b", c\\d')
    staged = "SELECT client_id, payload FROM contact_sync.outbox ORDER BY client_id"
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="submit")
        as_rows(world)
        mapping = mapping_of(open_run(sync, run_id))
        contacts = world.state(staged)
        go_back_to(world, cluster, "0004")
        for client_id, payload in contacts:
            world.state(
                "UPDATE contact_sync.outbox SET payload = %s WHERE client_id = %s",
                old_payload(payload, mapping), client_id,
            )  # fmt: skip
        migrate(world.state_url)
        assert world.state(staged) == contacts
        assert '"02/29/2024"' in contacts[0][1]
        go_on(sync, run_id, before="remove", after="exclude")
    contact = world.contact("client1@example.com")
    assert contact["first_name"] == 'A "b", c\\d'
    assert contact["custom_fields"]["Registered"].startswith("2024-02-29")


def rows_of(world: World, table: str, columns: list[str]) -> list[tuple[str, ...]]:
    """A table's rows as text."""
    return world.state(f"SELECT ({', '.join(columns)})::text FROM contact_sync.{table} ORDER BY 1")


def upgrade_from_0005(world: World, cluster: Cluster) -> None:
    """Bring the state back to 0005, upgrade it, and see that every row is there as it was; who
    shared an address has the state of its own."""
    go_back_to(world, cluster, "0005")
    columns = {table: [name for (name,) in world.state(COLUMNS, table)] for table in OF_0005}
    columns["sync"].remove("last_full_at")  # the next run is a full one
    before = {table: rows_of(world, table, columns[table]) for table in OF_0005}
    shared = world.state(
        """SELECT client_id FROM contact_sync.ledger
           WHERE state = 'excluded' AND reason = 'shared_address' ORDER BY 1"""
    )
    migrate(world.state_url)
    who = "SELECT client_id FROM contact_sync.ledger WHERE state = 'shared' ORDER BY 1"
    assert world.state(who) == shared
    columns["ledger"][columns["ledger"].index("state")] = (
        "CASE state WHEN 'shared' THEN 'excluded' ELSE state END"
    )
    columns["ledger"][columns["ledger"].index("reason")] = (
        "CASE state WHEN 'shared' THEN 'shared_address' ELSE reason END"
    )
    assert {table: rows_of(world, table, columns[table]) for table in OF_0005} == before


OPEN_BATCHES = [
    ("incremental", "run_planned", {"staged"}, 1),
    ("incremental", "upsert_announced", {"submitting"}, 1),
    ("incremental", "upserted_not_stored", {"submitting"}, 2),
    ("incremental", "batch_submitted", {"submitted"}, 1),
    ("incremental", "deleted_not_stored", {"settled", "submitting"}, 1),
    ("first load, CSV", "import_created", {"created"}, 1),
    ("first load, CSV", "upload_announced", {"uploading"}, 1),
    ("first load, CSV", "uploaded_not_stored", {"uploading"}, 1),
    ("removals", "removals_planned", {"staged"}, 1),
    ("failing job", "batch_settled", {"settled", "staged"}, None),
]
"""Kind of run, where it is killed, the states of its batches, and how many uploads or upserts carry
the contacts in all: two where nobody can know of the first."""


@pytest.mark.parametrize(("kind", "point", "states", "sendings"), OPEN_BATCHES)
def test_P14_an_upgrade_loses_no_open_batch_and_sends_none_twice(
    crashing: World, cluster: Cluster, kind: str, point: str, states: set[str],
    sendings: int | None,
) -> None:  # fmt: skip
    """A run of version 0005 was killed with rejections, shared addresses and removals beside its
    open batch; the upgrade keeps them all, and the next run, which finds a hash key, converges."""
    KINDS[kind].prepare(crashing)
    before = sum(map(is_sending, crashing.writes()))
    hit(point, crashing, kind)
    found = "SELECT DISTINCT state FROM contact_sync.batch WHERE run_id = %s"
    (run_id,) = crashing.state("SELECT max(run_id) FROM contact_sync.run")[0]
    assert {state for (state,) in crashing.state(found, run_id)} == states
    upgrade_from_0005(crashing, cluster)
    crashing.hash_keys = HASH_KEYS
    assert_recovers(crashing, kind, take_over=True)
    if sendings is not None:
        assert sum(map(is_sending, crashing.writes())) - before == sendings


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_P14_a_run_that_waits_for_its_job_during_an_upgrade_ends(
    world: World, cluster: Cluster, lane: str
) -> None:
    """Version 0005 has submitted its batch and is deferred; the task that resumes afterwards is of
    this version: it settles the job, and the run ends as if nothing had happened."""
    world.seed()
    world.redefine(lane=lane)
    if lane == "json":  # beside removals
        world.run()
        world.change()
    before = sum(map(is_sending, world.writes()))
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="settle")
        upgrade_from_0005(world, cluster)
        go_on(sync, run_id, before="remove", after="submit")
        for batch_id in find_removals(sync, open_run(sync, run_id)):
            while send_batch(sync, open_run(sync, run_id), batch_id):
                time.sleep(0.05)
        finish_run(sync, open_run(sync, run_id))
    assert world.report(run_id)["state"] == "succeeded"
    assert sum(map(is_sending, world.writes())) - before == 1
    world.assert_converged()


def is_sending(call: str) -> bool:
    """Whether a call carries contacts."""
    return call.startswith("PUT") and not call.endswith("/imports")


def test_P14_R09_an_upgraded_state_notes_whom_its_contacts_belong_to(
    world: World, cluster: Cluster
) -> None:
    """Version 0015 knew no persons; nothing is sent for it, and ids that are reused afterwards are
    noticed."""
    first, other = world.add("ann@example.com"), world.add("bob@example.com")
    world.run()
    go_back_to(world, cluster, "0015")
    migrate(world.state_url)
    persons = "SELECT client_id, person_hash IS NOT NULL FROM contact_sync.ledger ORDER BY 1"
    assert world.state(persons) == [(first, False), (other, False)]
    assert world.run("full")["counts"]["sent"] == 0
    assert world.state(persons) == [(first, True), (other, True)]
    world.emulator.admin.suppress("ann@example.com")
    world.edit(first, email="neo@example.com", created_at="2031-01-01")
    world.run()
    assert set(world.emulator.admin.suppressions()) == {"ann@example.com"}


def test_P14_B20_the_first_run_after_an_upgrade_finds_the_dropped_values(
    world: World, cluster: Cluster
) -> None:
    """Version 0008 kept none; nothing has changed in B2CORE since, and nothing is sent again."""
    ann = world.add("ann@example.com", phone="call me")
    world.add("bob@example.com", phone="+41790000001")
    world.run()
    go_back_to(world, cluster, "0008")
    migrate(world.state_url)
    assert world.state("SELECT count(*) FROM contact_sync.dropped_value") == [(0,)]
    report = world.run()
    assert (report["kind"], report["counts"]["sent"]) == ("full", 0)
    assert report["dropped_now"] == {"phone_number: no_number": 1}
    assert world.state("SELECT client_id FROM contact_sync.dropped_value") == [(ann,)]
    world.edit(ann, first_name="Ann")
    assert world.run()["kind"] == "incremental"
