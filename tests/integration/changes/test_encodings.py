"""B: texts are UTF-8 on both databases, whatever they, their roles or the environment say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import sql

from contact_sync.base.errors import ConfigError, FatalError
from contact_sync.lookup.find_clients import find_clients
from contact_sync.postgres import arrow_reader
from contact_sync.state.database import StateDatabase
from contact_sync.state.migrate import migrate
from contact_sync.state.pending import pending
from local.b2core_demo import create_schema
from local.postgres.server import Cluster
from tests.support.world import World

CAFE = (
    b"INSERT INTO b2core.clients (id, email, first_name) VALUES (7, 'ann@example.com', 'caf\xe9')"
)
ENCODING = "SELECT current_setting('client_encoding') AS encoding"


@pytest.fixture
def elsewhere(cluster: Cluster, world: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """A world whose B2CORE is a database of another encoding, with one client."""
    encoding = str(request.param)
    name = f"b2core_{encoding.lower()}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LOCALE_PROVIDER libc LOCALE 'C'"
            ).format(sql.Identifier(name), sql.Literal(encoding))
        )
    url = cluster.url(name)
    create_schema(url)
    with psycopg.connect(url, client_encoding="SQL_ASCII") as connection:
        connection.execute(CAFE)
    world.reader_url = world.b2core_url = url
    yield world
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.own_connections
@pytest.mark.parametrize("elsewhere", ["LATIN1"], indirect=True)
def test_B13_a_database_in_another_encoding_is_read_as_it_was_meant(elsewhere: World) -> None:
    """The server converts."""
    assert elsewhere.run()["books"]["confirmed"] == 1
    assert elsewhere.contact("ann@example.com")["first_name"] == "café"


@pytest.mark.own_connections
@pytest.mark.parametrize("elsewhere", ["LATIN1"], indirect=True)
def test_B13_an_address_is_looked_up_in_any_encoding(elsewhere: World) -> None:
    """Also one that the database can't hold, and one that its locale can't lower."""
    elsewhere.sql("UPDATE b2core.clients SET email = 'ZOË@example.com'")
    found = {}
    with elsewhere.sync() as sync:
        for address in ("zoë@example.com", "李@example.com", "ann@example.com"):
            found[address] = [m.client_id for m in find_clients(sync, address, thorough=True)]
    assert list(found.values()) == [[7], [], []]


@pytest.mark.own_connections
def test_B13_a_state_database_that_cannot_hold_every_name_is_refused(cluster: Cluster) -> None:
    """Before the first run meets such a name."""
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS state_latin1")
        connection.execute(
            """CREATE DATABASE state_latin1 TEMPLATE template0 ENCODING 'LATIN1'
               LOCALE_PROVIDER libc LOCALE 'C'"""
        )
    for look in (migrate, pending):
        with pytest.raises(ConfigError, match="is encoded in LATIN1, which has no place for every"):
            look(cluster.url("state_latin1"))


@pytest.mark.own_connections
@pytest.mark.parametrize("elsewhere", ["SQL_ASCII"], indirect=True)
def test_B13_bytes_that_are_no_text_are_named_by_table_column_and_client(
    elsewhere: World,
) -> None:
    """One sentence, and nothing is sent."""
    with pytest.raises(FatalError) as raised:
        elsewhere.run()
    said = str(raised.value)
    assert "(clients.sql) holds bytes that are not text in UTF-8 (SQLSTATE 22021)" in said
    assert "correct the value; it is table b2core.clients, column 'first_name', of client 7" in said
    assert "caf" not in said
    assert elsewhere.writes() == []


@pytest.mark.own_connections
@pytest.mark.parametrize("elsewhere", ["SQL_ASCII"], indirect=True)
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (b"INSERT INTO b2core.client_phones (client_id, phone) VALUES (7, '07\xe9')",
         "table b2core.client_phones, column 'phone', of client 7"),
        (b"INSERT INTO b2core.client_addresses (client_id, type, line1) "
         b"VALUES (7, 'legal', 'Caf\xe9')",
         "table b2core.client_addresses, column 'line1' (in clients.sql 'address_line_1'), of "
         "client 7"),
        (b"UPDATE b2core.client_statuses SET name = 'caf\xe9' WHERE id = 1",
         "table b2core.client_statuses, column 'name' (in clients.sql 'status'), of client 7"),
        (b"UPDATE b2core.clients SET email = 'caf\xe9@example.com'",
         "table b2core.clients, column 'email', of client 7"),
    ],
    ids=["phone", "address", "look-up", "e-mail"],
)  # fmt: skip
def test_B13_the_table_is_the_one_that_holds_the_bytes(
    elsewhere: World, wrong: bytes, said: str
) -> None:
    """Behind joins, subqueries and casts; also in scan.sql."""
    with psycopg.connect(elsewhere.b2core_url, client_encoding="SQL_ASCII") as connection:
        connection.execute("UPDATE b2core.clients SET first_name = 'Ann'")
        connection.execute(wrong)
    with pytest.raises(FatalError) as raised:
        elsewhere.run()
    assert said in str(raised.value)


@pytest.mark.own_connections
def test_B13_both_databases_speak_utf8_whatever_role_and_environment_say(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGCLIENTENCODING, the role's setting and the URL's are all something else."""
    world.add("ann@example.com", first_name="Zoë 李")
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    reader = world.reader_url.partition("//")[2].partition(":")[0]
    world.sql(f'ALTER ROLE "{reader}" SET client_encoding TO LATIN1')
    try:
        for url in (world.reader_url, f"{world.reader_url}?client_encoding=LATIN1"):
            with closing(arrow_reader.open_connection(url, "it", seconds=60)) as connection:
                assert arrow_reader.table(connection, ENCODING, "it").to_pylist() == [
                    {"encoding": "UTF8"}
                ]
        with StateDatabase(world.state_url).transaction() as cursor:
            assert cursor.execute(ENCODING).fetchall() == [{"encoding": "UTF8"}]
        world.run()
        assert world.contact("ann@example.com")["first_name"] == "Zoë 李"
    finally:
        world.sql(f'ALTER ROLE "{reader}" RESET client_encoding')
