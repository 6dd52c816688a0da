"""N10: why a server's certificate isn't believed, told apart on both drivers, over real TLS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp

import psycopg
import pytest

from contact_sync.base.errors import ConfigError, SyncError
from local.postgres.server import Cluster
from tests.integration.runs.test_refused_logins import ASKS, answer
from tests.support.certificates import revocations, signed
from tests.support.oldest_postgres import oldest_postgres
from tests.support.pgbouncer import pooled

Serve = Callable[[str, Path, Path], AbstractContextManager[str]]
HOST = "db.example"
OURS = signed("Ours", authority=True)
"""The authority that the client trusts."""
LATE = signed("Late", authority=True, begins=-3)
BETWEEN = signed("Between", OURS, authority=True)
OTHER = signed("Other", authority=True)
SHOWN = {
    "right": [signed(HOST, BETWEEN), BETWEEN],
    "expired": [signed(HOST, OURS, begins=-3)],
    "an expired authority": [signed(HOST, LATE)],
    "not yet valid": [signed(HOST, OURS, begins=1)],
    "another host": [signed("other.example", OURS)],
    "an unknown authority": [signed(HOST, OTHER)],
    "an unknown authority, sent along": [signed(HOST, OTHER), OTHER],
    "nothing in between": [signed(HOST, BETWEEN)],
    "signed by itself": [signed(HOST)],
    "revoked": [signed(HOST, OURS)],
}
SAID = {
    "right": "",
    "expired": "has expired: renew it at the server",
    "an expired authority": "has expired: renew it at the server",
    "not yet valid": "isn't valid yet: set this machine's clock",
    "another host": "is for another name: write the name that is in it",
    "an unknown authority": "An authority that isn't trusted here vouches",
    "an unknown authority, sent along": "An authority that isn't trusted here vouches",
    "nothing in between": "or the server doesn't send the certificates in between",
    "signed by itself": "is signed by itself and trusted by nobody here",
    "revoked": "is revoked in the list that sslcrl names",
}


@contextmanager
def by_pooler(known: str, certificate: Path, key: Path) -> Iterator[str]:
    """A new pooler speaks TLS for the tests' server, which can't."""
    tls = {"client_tls_key_file": str(key), "client_tls_cert_file": str(certificate)}
    with pooled(known, client_tls_sslmode="require", **tls) as (url,):
        yield url


@contextmanager
def by_server(known: str, certificate: Path, key: Path) -> Iterator[str]:
    """The server itself, once it shows this certificate."""
    settings = {"ssl_cert_file": certificate, "ssl_key_file": key, "ssl": "on"}
    with psycopg.connect(known, autocommit=True) as admin:
        for name, value in settings.items():
            admin.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        admin.execute("SELECT pg_reload_conf()")
    for _ in range(100):
        with psycopg.connect(known) as new:
            if new.execute("SHOW ssl_cert_file").fetchone() == (str(certificate),):
                break
        time.sleep(0.05)
    yield known


def wrongly_told(known: str, folder: Path, serve: Serve) -> dict[str, list[str]]:
    """The cases in which a driver isn't told what is wrong, and what it is told."""
    wrong = {}
    for case, (own, *chain) in SHOWN.items():
        place = Path(mkdtemp(dir=folder))
        place.chmod(0o711)  # for the account that servers run as
        trusted, revoked = place / "root.crt", place / "revoked.crl"
        trusted.write_bytes(OURS.text + LATE.text)
        options = f"hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={trusted}"
        if case == "revoked":
            revoked.write_bytes(revocations(OURS, own))
            options += f"&sslcrl={revoked}"
        with serve(known, *own.write(place, *chain)) as url:
            at_host = f"{url.replace('@127.0.0.1', f'@{HOST}')}?{options}"
            told = [answer(ask, at_host) for ask in ASKS]
        if not all(fits(error, SAID[case]) for error in told):
            wrong[case] = [str(error) for error in told]
    return wrong


def fits(error: SyncError | None, said: str) -> bool:
    """Whether a person is told that, and nobody tries again; "" = nothing is wrong."""
    if not said or error is None:
        return not said and error is None
    return isinstance(error, ConfigError) and "TLS failed" in str(error) and said in str(error)


def test_N10_each_fault_of_a_certificate_has_its_sentence(cluster: Cluster) -> None:
    """On both databases and for the migrations; libpq itself says of most "verify failed"."""
    own = cluster.create_database(f"certificates_{token_hex(4)}")
    assert wrongly_told(own, cluster.directory, by_pooler) == {}


@pytest.mark.slow
def test_N10_the_same_of_a_server_that_speaks_tls_itself() -> None:
    """Of the oldest version, which Debian has with TLS."""
    with oldest_postgres() as server:
        assert wrongly_told(server.url(), server.directory, by_server) == {}
