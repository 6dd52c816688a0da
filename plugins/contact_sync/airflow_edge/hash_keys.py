"""The keys of hashes, from an Airflow connection: never in the database that has the hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contact_sync.airflow_edge.connections import extras, get_connection, mask
from contact_sync.base.errors import ConfigError, ConnectionMissing

if TYPE_CHECKING:
    from contact_sync.contacts.hash_keys import HashKeys


def hash_keys(conn_id: str) -> HashKeys:
    """The connection's password, and the keys before it, the oldest first: `{"former": ["…"]}` in
    its extra.

    Raises ConfigError when there is no such connection, or a key of it is too short.
    """
    from contact_sync.contacts.hash_keys import MIN_KEY, NEW_KEY, HashKey
    from contact_sync.contacts.hash_keys import HashKeys as Keys

    try:
        connection = get_connection(conn_id)
    except ConnectionMissing as error:
        raise ConnectionMissing(
            f"{error}; its password is the key of the hashes of addresses and values, new from "
            f"`{NEW_KEY}`. Keep it where the state database's backups aren't: without it neither "
            f"clients nor erased people are known again"
        ) from None
    former = extras(connection).get("former", [])
    if not isinstance(former, list) or not all(isinstance(key, str) for key in former):
        raise ConfigError(
            f"Airflow connection {conn_id!r}: `former` of its extra is no list of texts"
        )
    for secret in (connection.password, *former):
        if secret:
            mask(secret)
    try:
        return Keys(HashKey(connection.password or ""), tuple(map(HashKey, former)))
    except ValueError as error:
        raise ConfigError(
            f"Airflow connection {conn_id!r}: a key in it is no good, {error}. Make one of at "
            f"least {MIN_KEY}: `{NEW_KEY}`"
        ) from None
