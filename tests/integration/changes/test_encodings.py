"""B: texts are UTF-8 on both databases, whatever they, their roles or the environment say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import sql

from contact_sync.base.errors import FatalError
from contact_sync.postgres import arrow_reader
from contact_sync.state.database import StateDatabase
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
@pytest.mark.parametrize("elsewhere", ["SQL_ASCII"], indirect=True)
def test_B13_bytes_that_are_no_text_are_named_by_column_and_client(elsewhere: World) -> None:
    """One sentence, and nothing is sent."""
    with pytest.raises(FatalError) as raised:
        elsewhere.run()
    said = str(raised.value)
    assert "(clients.sql) holds bytes that are not text in UTF-8 (SQLSTATE 22021)" in said
    assert "correct the value; it is column 'first_name' of client 7" in said
    assert "caf" not in said
    assert elsewhere.writes() == []


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
