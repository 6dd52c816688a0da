"""Airflow's connections, or what is wrong with them in words."""

from __future__ import annotations

import json
import os
from typing import Any

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from contact_sync.base.errors import ConfigError, ConnectionMissing


def get_connection(conn_id: str) -> Any:
    """The connection. Raises ConnectionMissing when there is none, ConfigError when its variable
    can't be read.

    Airflow passes over a variable that it can't read, and says that the connection isn't defined.
    """
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
    if _is_stored(conn_id):
        raise ConfigError(
            f"Airflow's database has the connection {conn_id!r}, but its password can't be read "
            "with this process's key: set AIRFLOW__CORE__FERNET_KEY here as it was where the "
            "connection was stored, or enter its password again"
        )
    raise ConnectionMissing(
        f"Airflow has no connection {conn_id!r}. Add it under Admin > Connections, or set {name}"
    )


def _is_stored(conn_id: str) -> bool:
    """Whether Airflow's database has a connection of this name, although Airflow says that there is
    none; False where the database may not be asked, as in a task, or can't be reached."""
    from airflow.models.connection import Connection as Stored
    from airflow.utils.session import create_session
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with create_session(scoped=False) as session:
            query = session.query(Stored.conn_id).filter(Stored.conn_id == conn_id)
            return query.first() is not None
    except (SQLAlchemyError, RuntimeError):
        return False


def _reason(conn_id: str, value: str) -> str:
    """Why Airflow can't read the value, without any part of it: it holds a secret."""
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
