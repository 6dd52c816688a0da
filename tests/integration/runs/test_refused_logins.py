"""N: why there is no connection to a database, told apart on both drivers, by real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from contact_sync.b2core.reader import B2Core
from contact_sync.base.errors import ConfigError, RetryableError, SyncError
from contact_sync.state.database import StateDatabase
from contact_sync.state.migrate import migrate
from local.postgres.server import Cluster, memory_folder, temporary_cluster
from local.sendgrid_emulator.process import Emulator
from tests.support.breaking_proxy import breaking_proxy
from tests.support.certificates import signed
from tests.support.pgbouncer import pooled
from tests.support.world import World

ROLES = """CREATE ROLE known LOGIN PASSWORD 'right'
CREATE ROLE nologin PASSWORD 'right'
CREATE ROLE "too many" LOGIN PASSWORD 'right' CONNECTION LIMIT 0
CREATE DATABASE closed
REVOKE CONNECT ON DATABASE closed FROM PUBLIC
CREATE DATABASE shut
ALTER DATABASE shut ALLOW_CONNECTIONS false
SELECT pg_reload_conf()"""
HBA = """host all known,nologin,nobody,"too many",postgres all scram-sha-256
host all rejected all reject
"""
PASSES = {"DNS", "nothing listens", "no connection left", "no standby"}
SAID = {
    "wrong password": "refused the login: Wrong password, or no such role",
    "no password": "refused the login: The connection has no password",
    "no such database": "refused the login: The server has no such database",
    "may not log in": "refused the login: The role may not log in",
    "may not connect": "refused the login: The role may not connect to this database",
    "a closed database": "refused the login: The database takes none",
    "an entry that rejects": "refused the login: The server takes none without TLS from this",
    "no entry": "refused the login: The server takes none without TLS from this machine",
    "no such role": "refused the login: Wrong password, or no such role",
    "no such file": "TLS failed. The file of authorities",
    "signed by itself": "TLS failed. The server's certificate is signed by itself",
    "another name": "TLS failed. The server's certificate is for another name",
    "no file of ours": "TLS failed. The server doesn't take this client's certificate",
    "a server without TLS": "TLS failed. The server has no TLS",
    "only with TLS": "refused the login: The server takes none without TLS",
    "not PostgreSQL": "can't be reached. What answers there isn't PostgreSQL",
    "a bad value": "can't be reached. The connection has a value that isn't possible",
    "DNS": "can't be reached. The host's name isn't known to DNS",
    "nothing listens": "can't be reached. Nothing listens there",
    "no connection left": "can't be reached. It has no connection left",
    "no standby": "can't be reached. No server is of the kind",
    "statement mode": "is behind a pooler in statement mode",
    "wrong password at a pooler": "refused the login: Wrong password, or no such role",
    "no such database at a pooler": "refused the login: The server has no such database",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A server that lets hardly anyone in."""
    with temporary_cluster(memory_folder()) as running:
        (running.directory / "data" / "pg_hba.conf").write_text(HBA)
        with psycopg.connect(running.url(), autocommit=True) as admin:
            for statement in ROLES.encode().splitlines():
                admin.execute(statement)
        yield running


@pytest.fixture(scope="module")
def by_tls(server: Cluster) -> Iterator[tuple[str, str]]:
    """A URL with TLS, and the file of the certificate, which is for db.example and vouched for by
    itself. The pooler speaks TLS for the server, which has none in the tests."""
    certificate, key = signed("db.example").write(server.directory)
    tls = {"client_tls_key_file": str(key), "client_tls_cert_file": str(certificate)}
    known = server.url(user="known", password="right")
    with pooled(known, client_tls_sslmode="require", **tls) as (url,):
        yield url, str(certificate)


@pytest.fixture
def urls(
    server: Cluster, by_tls: tuple[str, str], emulator_process: Emulator
) -> Iterator[dict[str, str]]:
    """A libpq URL for each case."""
    known, (tls, certificate) = server.url(user="known", password="right"), by_tls
    address = emulator_process.base_url.removeprefix("http://")
    with pooled(known, mode="statement") as (by_statement,), pooled(known) as (by,):
        yield {
            "wrong password": known.replace("right", "wrong"),
            "no such role": server.url(user="nobody", password="right"),
            "no password": known.replace(":right", ""),
            "no such database": known.replace("/postgres", "/nowhere"),
            "may not log in": server.url(user="nologin", password="right"),
            "may not connect": known.replace("/postgres", "/closed"),
            "a closed database": known.replace("/postgres", "/shut"),
            "an entry that rejects": server.url(user="rejected", password="right"),
            "no entry": server.url(user="somebody", password="right"),
            "no such file": f"{tls}?sslmode=verify-full&sslrootcert=/nowhere/root.crt",
            "signed by itself": f"{tls}?sslmode=verify-full&sslrootcert=system",
            "another name": f"{tls}?sslmode=verify-full&sslrootcert={certificate}",
            "no file of ours": f"{tls}?sslcert={certificate}&sslkey=/nowhere/a.key",
            "a server without TLS": f"{known}?sslmode=require",
            "only with TLS": f"{tls}?sslmode=disable",
            "not PostgreSQL": f"postgresql://known:right@{address}/postgres",
            "a bad value": f"{known}?connect_timeout=soon",
            "DNS": "postgresql://known:right@no-such-host.invalid/postgres",
            "nothing listens": "postgresql://known:right@127.0.0.1:1/postgres",
            "no connection left": server.url(user="too many", password="right"),
            "no standby": f"{known}?target_session_attrs=standby",
            "statement mode": by_statement,
            "wrong password at a pooler": by.replace("right", "wrong"),
            "no such database at a pooler": by.replace("/postgres", "/nowhere"),
        }


def test_N10_each_cause_has_its_sentence_on_both_databases(urls: dict[str, str]) -> None:
    """The source's driver, the state database's two, and the migrations; what a person has to mend
    isn't tried again, what may pass is. No password is told."""
    found = {name: [answer(ask, url) for ask in ASKS] for name, url in urls.items()}
    kinds = {name: RetryableError if name in PASSES else ConfigError for name in SAID}
    wrong = {
        name: answers
        for name, answers in found.items()
        if not all(kinds[name] is type(said) and SAID[name] in str(said) for said in answers)
    }
    assert wrong == {}
    assert found.keys() == SAID.keys()
    assert "right" not in str(found)


def test_N10_the_right_name_and_authority_are_let_in(by_tls: tuple[str, str]) -> None:
    """By the address, as the sentence says: the table's certificate is no broken one."""
    url, certificate = by_tls
    trust = f"hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={certificate}"
    assert answer(ask_source, f"{url.replace('@127.0.0.1', '@db.example')}?{trust}") is None


@pytest.mark.own_connections
def test_N10_a_wrong_password_is_tried_once(world: World) -> None:
    """By a run on either database: after some tries many a server locks the role."""
    for name in ("reader_url", "state_url"):
        right = getattr(world, name)
        password = str(urlsplit(right).password)
        with breaking_proxy(right.replace(f":{password}@", ":wrong@")) as proxy:
            setattr(world, name, proxy.url)
            with pytest.raises(ConfigError, match="refused the login: Wrong password"):
                world.run()
        setattr(world, name, right)
        assert proxy.opened == 1


def ask_source(url: str) -> None:
    """As a run reads B2CORE."""
    with B2Core(url, Path(), 10).snapshot() as snapshot:
        snapshot.position()


def ask_state(url: str) -> None:
    """As a run writes its state."""
    with StateDatabase(url).transaction():
        pass


def ask_state_in_bulk(url: str) -> None:
    """As a run reads its state."""
    with StateDatabase(url).reader():
        pass


ASKS: tuple[Callable[[str], None], ...] = (ask_source, ask_state, ask_state_in_bulk, migrate)


def answer(ask: Callable[[str], None], url: str) -> SyncError | None:
    """The error."""
    try:
        ask(url)
    except SyncError as error:
        return error
    return None
