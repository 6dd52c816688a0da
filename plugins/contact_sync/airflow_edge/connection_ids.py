"""The ids of Airflow's connections, for a form that lets people choose one."""

from __future__ import annotations

import os
from collections.abc import Callable

from airflow.models.connection import Connection
from airflow.utils.session import create_session

from contact_sync.airflow_edge.connections import get_connection
from contact_sync.base.errors import ConfigError

MOST = 1_000
_VARIABLE = "AIRFLOW_CONN_"


def connection_ids(conn_type: str, may_use: Callable[[str], bool]) -> list[str]:
    """The ids of this type, sorted: those in Airflow's database, at most MOST, and those in
    environment variables. A secrets backend can't be asked what it has. No secret is read.
    """
    with create_session(scoped=False) as session:
        query = session.query(Connection.conn_id).filter(Connection.conn_type == conn_type)
        found = {row.conn_id for row in query.order_by(Connection.conn_id).limit(MOST)}
    found |= {conn_id for conn_id in _of_environment() if _type_of(conn_id) == conn_type}
    return sorted(conn_id for conn_id in found if may_use(conn_id))


def _of_environment() -> list[str]:
    return [name.removeprefix(_VARIABLE).lower() for name in os.environ
            if name.startswith(_VARIABLE) and len(name) > len(_VARIABLE)]  # fmt: skip


def _type_of(conn_id: str) -> str:
    """Its type; "" if the variable can't be read, which a look through it says."""
    try:
        return str(get_connection(conn_id).conn_type)
    except ConfigError:
        return ""
