"""Airflow connections to PostgreSQL as libpq URLs; light, because the API server imports it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from contact_sync.airflow_edge.connections import extras, get_connection
from contact_sync.base.errors import ConfigError

log = logging.getLogger(__name__)
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1", "[::1]")
LIBPQ_OPTIONS = (
    "application_name", "channel_binding", "connect_timeout", "gssencmode", "hostaddr",
    "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname",
    "load_balance_hosts", "passfile", "require_auth", "requirepeer", "service", "sslcert",
    "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey", "sslmode", "sslnegotiation",
    "sslpassword", "sslrootcert", "sslsni", "ssl_max_protocol_version", "ssl_min_protocol_version",
    "target_session_attrs", "tcp_user_timeout",
)  # fmt: skip
"""What an extra may say: libpq's parameters (PostgreSQL docs, 32.1.2), without those that the
connection's own fields say, and without what would change how texts are read."""


@contextmanager
def found(sync_name: str) -> Iterator[None]:
    """Say which sync an error of its connections is about."""
    try:
        yield
    except ConfigError as error:
        raise type(error)(f"Sync {sync_name!r}: {error}") from None


def postgres_dsn(conn_id: str) -> str:
    """A libpq URL from an Airflow connection of type postgres.

    Over a network TLS is the default, with the server's certificate and name verified.
    """
    connection = get_connection(conn_id)
    if connection.conn_type != "postgres":
        raise ConfigError(
            f"Airflow connection {conn_id!r} is of type {connection.conn_type!r}; it must be of "
            f"type postgres"
        )
    login = quote(connection.login or "", safe="")
    password = f":{quote(connection.password, safe='')}" if connection.password else ""
    port = f":{connection.port}" if connection.port else ""
    options = _options(conn_id, extras(connection))
    given = (connection.host or "").strip()  # as it is pasted into a form
    if "service" in options or not _is_local(options.get("hostaddr") or given):
        mode = options.setdefault("sslmode", "verify-full")
        if mode != "verify-full":
            log.warning(
                "Airflow connection %r has sslmode=%s: anyone in between can read or forge what "
                "the database says; verify-full prevents it", conn_id, mode,
            )  # fmt: skip
    query = f"?{urlencode(options, quote_via=quote)}" if options else ""  # to libpq, + is a plus
    # A socket's path has slashes; without a host, the service says which.
    host = quote(given or ("" if "service" in options else "localhost"), safe=",:[]")
    bare_ipv6 = host.count(":") > 1 and not set(host) & set(",[")
    host = f"[{host}]" if bare_ipv6 else host
    database = quote(connection.schema or "", safe="")
    return f"postgresql://{login}{password}@{host}{port}/{database}{query}"


def _options(conn_id: str, extra: dict[str, Any]) -> dict[str, str]:
    """The extra as libpq's parameters. Raises ConfigError for what would otherwise be dropped."""
    if unknown := sorted(set(extra) - set(LIBPQ_OPTIONS)):
        raise ConfigError(
            f"Airflow connection {conn_id!r}: its extra has {', '.join(unknown)}, which this sync "
            f"can't pass on to PostgreSQL; possible are {', '.join(LIBPQ_OPTIONS)}"
        )
    return {key: _option(value) for key, value in extra.items()}


def _option(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _is_local(hosts: str) -> bool:
    """Whether all hosts are of this machine: loopback, or a socket's path."""
    names = [host.strip() for host in hosts.split(",")]
    bare = [name if name.count(":") > 1 else name.partition(":")[0] for name in names]
    return all(not name or name.startswith(("/", "@")) or name in LOCAL_HOSTS for name in bare)
