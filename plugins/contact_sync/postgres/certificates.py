"""Why a server's certificate isn't believed: libpq says that, and seldom why (`open_client_SSL` in
its fe-secure-openssl.c), so the handshake is repeated with Python's TLS, which knows. An edge.

Nothing is sent to the server but the request for TLS, and nothing is believed of what it answers.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from socket import create_connection

from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

FAILED = "certificate verify failed"
SSL_REQUEST = bytes.fromhex("00000008 04d2162f")
"""PostgreSQL docs, 55.7 Message Formats, SSLRequest; the answer is S or N."""
OWN_ROOT = "~/.postgresql/root.crt"
"""libpq's file where sslrootcert says nothing (PostgreSQL docs, 32.19.1)."""
DEFAULT_PORT = "5432"
SECONDS = 10.0


def with_reason(said: str, dsn: str) -> str:
    """What libpq said of a connection that failed, with OpenSSL's reason if that was all it said:
    `certificate verify failed: certificate has expired`. `dsn`: the connection's libpq URL."""
    if FAILED not in said or f"{FAILED}: " in said:
        return said
    given = _parameters(dsn)
    for address, name in _servers(given):
        if reason := _reason(address, name, given):
            return said.replace(FAILED, f"{FAILED}: {reason}")
    return said


def _parameters(dsn: str) -> dict[str, str]:
    """What libpq takes: of the URL, else of the process's environment, else its defaults."""
    defaults = ((each.keyword, each.val) for each in Conninfo.get_defaults())
    found = {name.decode(): value.decode() for name, value in defaults if value}
    return found | {name: str(value) for name, value in conninfo_to_dict(dsn).items()}


def _servers(given: dict[str, str]) -> Iterator[tuple[tuple[str, int], str]]:
    """Address and name of each host; a socket's path has no TLS."""
    names = given.get("host", "").split(",")
    addresses = given.get("hostaddr", given.get("host", "")).split(",")
    ports = [port or DEFAULT_PORT for port in given.get("port", "").split(",")]
    for name, address, port in zip(cycle(names), addresses, cycle(ports), strict=False):
        if address and not address.startswith(("/", "@")):
            yield (address, int(port)), name or address


def _reason(address: tuple[str, int], name: str, given: dict[str, str]) -> str | None:
    """OpenSSL's words for what is wrong; None when nothing is, or it can't be seen now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # of that libpq says itself what is wrong
    try:
        _trust(context, given)
        with create_connection(address, SECONDS) as plain:
            plain.sendall(SSL_REQUEST)  # a server that is asked for TLS at once takes that, too
            if plain.recv(1) != b"S":
                return None
            with context.wrap_socket(plain, server_hostname=name):
                return None
    except ssl.SSLCertVerificationError as error:
        return str(error.verify_message)
    except (OSError, ValueError):  # gone meanwhile, or an unusable file: libpq's words remain
        return None


def _trust(context: ssl.SSLContext, given: dict[str, str]) -> None:
    """Believe whom libpq believes. Raises OSError for a file that can't be read."""
    root = given.get("sslrootcert") or str(Path(OWN_ROOT).expanduser())
    if root == "system":
        context.set_default_verify_paths()
    else:
        context.load_verify_locations(root)
    if revoked := given.get("sslcrl"):
        context.load_verify_locations(revoked)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
