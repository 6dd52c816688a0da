"""An Airflow connection in, a `SendGridApi` out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contact_sync.airflow_edge.connections import extras, get_connection, mask
from contact_sync.airflow_edge.provider import REGIONS
from contact_sync.base.errors import ConfigError
from contact_sync.base.near_misses import meant
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.sendgrid.raw_calls import RawCalls
from contact_sync.sendgrid.transport import DEFAULT_LIMITS, Limits

EXTRAS = ("region", "allowed_hosts")


def open_api(
    conn_id: str, limits: Limits = DEFAULT_LIMITS, *, read_only: bool = False
) -> SendGridApi:
    """The API of the connection's account; Airflow masks its key and its signed URLs.
    `read_only`: calls that may change the account are refused before they leave.

    Raises ConfigError without a key, or for a host that the key must not be sent to.
    """
    connection = _connection(conn_id)
    return SendGridApi(
        base_url(connection),
        connection.password,
        allowed_hosts=allowed_hosts(connection),
        mask=mask,
        limits=limits,
        read_only=read_only,
    )


def open_raw(conn_id: str) -> RawCalls:
    """The same account for a probe, which learns from whole answers. Raises ConfigError."""
    connection = _connection(conn_id)
    return RawCalls(
        base_url(connection),
        connection.password,
        allowed_hosts=allowed_hosts(connection),
        mask=mask,
    )


def _connection(conn_id: str) -> Any:
    connection = get_connection(conn_id)
    refuse_unknown(extras(connection), conn_id)
    if not connection.password:
        raise ConfigError(
            f"Airflow connection {conn_id!r} has no password: put the SendGrid API key there"
        )
    return connection


def refuse_unknown(extra: Iterable[str], conn_id: str) -> None:
    """Raise ConfigError for what the extra says and nobody would read."""
    if unknown := sorted(set(extra) - set(EXTRAS)):
        raise ConfigError(
            f"Airflow connection {conn_id!r}: its extra has {unknown[0][:100]!r}, which SendGrid's "
            f"connection doesn't know; {meant(unknown[0], EXTRAS)}delete it; possible are "
            f"{', '.join(EXTRAS)}"
        )


def base_url(connection: Any) -> str:
    """The connection's API URL without `/v3`. Raises ConfigError for an unknown region, or one that
    contradicts the host."""
    region = connection.extra_dejson.get("region") or None
    if region is not None and region not in list(REGIONS):
        raise ConfigError(
            f"The SendGrid connection's region is {region!r}; it must be one of "
            f"{', '.join(REGIONS)}, or empty if the host says which"
        )
    host = (connection.host or REGIONS[region or "us"]).strip()
    if "://" not in host:
        host = f"https://{host}"
    host = host.rstrip("/").removesuffix("/v3").rstrip("/")
    if region is not None and host in REGIONS.values() and host != REGIONS[region]:
        raise ConfigError(
            f"The SendGrid connection's host {host} is not that of its region {region!r}: choose "
            f"the account's region and clear the host"
        )
    return host if connection.port in (None, 0, 443) else f"{host}:{connection.port}"


def allowed_hosts(connection: Any) -> list[str]:
    """The host names in the connection's extra, in lower case."""
    names = connection.extra_dejson.get("allowed_hosts")
    if names is None:  # also what the form stores when nothing was entered
        return []
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(
            'The SendGrid connection\'s extra: allowed_hosts must be a list like ["example.com"]'
        )
    return [name.lower() for name in names]
