"""P14: the state database of an earlier version of this code, and of a newer one."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from contact_sync.base.errors import ConfigError
from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.payloads import values_of
from contact_sync.run.context import mapping_of, open_run
from contact_sync.run.start_run import start_run
from contact_sync.state.database import SCHEMA_VERSION
from contact_sync.state.migrate import MIGRATIONS, migrate
from local.postgres.server import Cluster
from tests.support.steps import go_on
from tests.support.world import World

pytestmark = pytest.mark.own_connections


def upgrade_to(url: str, revision: str) -> None:
    """Make the state schema of an older version, with alembic and without the package."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
    )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.fixture
def old_schema(world: World, cluster: Cluster) -> World:
    """The world with the first version's tables and some rows in them."""
    with psycopg.connect(cluster.url(urlsplit(world.state_url).path[1:])) as connection:
        connection.execute("DROP SCHEMA contact_sync CASCADE")
        connection.execute("CREATE SCHEMA contact_sync AUTHORIZATION contact_sync_state")
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
def test_P14_contacts_in_flight_are_turned_by_an_upgrade(world: World, lane: str) -> None:
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
        mapping = mapping_of(open_run(sync, run_id))
        contacts = world.state(staged)
        world.state("UPDATE contact_sync.alembic_version SET version_num = '0004'")
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
