"""Airflow's connections, or what is wrong with them in words."""

from __future__ import annotations

import json
import os
from typing import Any

from contact_sync.airflow_edge.from_variables import has_airflow, plain_connection
from contact_sync.base.errors import ConfigError, ConnectionMissing

_unmasked: list[str] = []
"""Secrets of a process without Airflow, for the case that it imports it later."""


def get_connection(conn_id: str) -> Any:
    """The connection. Raises ConnectionMissing when there is none, ConfigError when its variable
    can't be read.

    Airflow passes over a variable that it can't read, and says that the connection isn't defined.
    """
    if (plain := plain_connection(conn_id)) is None:
        return _asked(conn_id)
    if plain.password:
        mask(plain.password)
    return plain


def mask(secret: str) -> None:
    """Have Airflow's logs mask a secret. A process without Airflow writes none of its logs."""
    if not has_airflow():
        _unmasked.append(secret)
        return
    from airflow.sdk.log import mask_secret

    mask_secret(secret)


def _asked(conn_id: str) -> Any:
    # Only now: a process whose connections are all in variables has no other use for Airflow.
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    from contact_sync.airflow_edge.installation import is_stored

    while _unmasked:
        mask(_unmasked.pop())
    name = f"AIRFLOW_CONN_{conn_id.upper()}"
    value = os.environ.get(name)
    try:
        found = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        found = None
    # What isn't JSON is a URL to Airflow, also a word, or a URL in quotes as of an env file.
    if found is not None and not (value and found.conn_type == ""):
        return found
    if value:
        raise ConfigError(
            f"{name} is set, but Airflow can't read it{_reason(conn_id, value)}: write a URL whose "
            "login and password are percent-encoded, or JSON such as "
            f'{{"conn_type": "postgres", "host": "…", "login": "…", "password": "…"}}'
        )
    if is_stored(conn_id):
        raise ConfigError(
            f"Airflow's database has the connection {conn_id!r}, but its password can't be read "
            "with this process's key: set AIRFLOW__CORE__FERNET_KEY here as it was where the "
            "connection was stored, or enter its password again"
        )
    raise ConnectionMissing(
        f"Airflow has no connection {conn_id!r}. Add it under Admin > Connections, or set {name}"
    )


def _reason(conn_id: str, value: str) -> str:
    """Why Airflow can't read the value, without any part of it: it holds a secret."""
    from airflow.sdk import Connection

    try:
        if value.lstrip().startswith("{"):
            Connection.from_json(value, conn_id=conn_id)
        else:
            Connection.from_uri(value, conn_id=conn_id)
    except Exception as error:  # noqa: BLE001 whatever Airflow's parsers raise
        form = "JSON" if value.lstrip().startswith("{") else "URL"
        return f" ({type(error).__name__} in its {form})"
    return ""


def extras(connection: Any) -> dict[str, Any]:
    """What the connection's extra says. Raises ConfigError when it isn't a JSON object: Airflow
    itself takes such an extra as empty."""
    if not connection.extra:
        return {}
    try:
        found = json.loads(connection.extra)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(
            f"Airflow connection {connection.conn_id!r}: its extra is no JSON object; write one, "
            f'such as {{"sslmode": "verify-full"}}, or clear it'
        )
    return {key: value for key, value in found.items() if value not in (None, "")}
