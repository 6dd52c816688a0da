"""Airflow connections to PostgreSQL as libpq URLs; light, because the API server imports it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from contact_sync.base.errors import ConfigError

log = logging.getLogger(__name__)
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1", "[::1]")
LIBPQ_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs")


@contextmanager
def found(sync_name: str) -> Iterator[None]:
    """Say which sync needs the Airflow connection that doesn't exist, as a ConfigError."""
    try:
        yield
    except AirflowNotFoundException as error:
        raise ConfigError(
            f"Sync {sync_name!r}: {error}. Add it under Admin > Connections or as an "
            f"AIRFLOW_CONN_… variable"
        ) from None


def postgres_dsn(conn_id: str) -> str:
    """A libpq URL from an Airflow connection of type postgres.

    Over a network TLS is the default, with the server's certificate and name verified.
    """
    connection: Any = BaseHook.get_connection(conn_id)
    if connection.conn_type != "postgres":
        raise ConfigError(
            f"Airflow connection {conn_id!r} is of type {connection.conn_type!r}; it must be of "
            f"type postgres"
        )
    login = quote(connection.login or "", safe="")
    password = f":{quote(connection.password, safe='')}" if connection.password else ""
    port = f":{connection.port}" if connection.port else ""
    extra = connection.extra_dejson
    options = {key: extra[key] for key in LIBPQ_OPTIONS if extra.get(key)}
    if not _is_local(connection.host or ""):
        mode = options.setdefault("sslmode", "verify-full")
        if mode != "verify-full":
            log.warning(
                "Airflow connection %r has sslmode=%s: anyone in between can read or forge what "
                "the database says; verify-full prevents it", conn_id, mode,
            )  # fmt: skip
    query = f"?{urlencode(options, quote_via=quote)}" if options else ""  # to libpq, + is a plus
    host = quote(connection.host or "localhost", safe=",:[]")  # a socket's path has slashes
    bare_ipv6 = host.count(":") > 1 and not set(host) & set(",[")
    host = f"[{host}]" if bare_ipv6 else host
    database = quote(connection.schema or "", safe="")
    return f"postgresql://{login}{password}@{host}{port}/{database}{query}"


def _is_local(hosts: str) -> bool:
    """Whether all hosts are of this machine: loopback, or a socket's path."""
    names = [host.strip() for host in hosts.split(",")]
    bare = [name if name.count(":") > 1 else name.partition(":")[0] for name in names]
    return all(not name or name.startswith(("/", "@")) or name in LOCAL_HOSTS for name in bare)
