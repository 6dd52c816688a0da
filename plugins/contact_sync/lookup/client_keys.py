"""Find clients by what B2CORE calls them: the `client_key` of clients.sql, else their ids."""

from __future__ import annotations

import numpy as np

from contact_sync.b2core.reader import Snapshot
from contact_sync.base.vocabulary import CLIENT_IDS, MAX_KEY
from contact_sync.contacts.mapping import CLIENT_KEY
from contact_sync.lookup.find_clients import short_snapshot
from contact_sync.postgres.literals import literal
from contact_sync.state.for_people import client as known_clients
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.sync import Databases

_MADE_OF = "SELECT hashtextextended(key, 0) AS client_id FROM unnest({keys}::text[]) AS made (key)"
"""The ids that the source contract has made of keys (include/sql/b2core/README.md)."""
_WITH = """
SELECT client_id FROM (
{clients}
) AS clients
WHERE client_key::text = ANY({keys}::text[])
LIMIT {at_most}
"""


def clients_named(sync: Databases, name: str) -> list[int]:
    """The ids of whoever has this key, now in B2CORE or when a run last looked; without such a
    client the id itself, if it is one; [] = nobody can be meant.

    Of a key that no run has noted, all clients of B2CORE may have to be read. A uuid may be written
    in capitals.
    """
    text = name.strip()
    if not text or len(text) > MAX_KEY or "\0" in text:
        return []
    by_id = id_of(text)
    with reading(sync.state) as cursor:
        look = sync_row(cursor, sync.definition.name)
        has_keys = look.destination.mapping.has_client_key if look and look.destination else None
        if has_keys is False:
            return by_id
        spellings = list(dict.fromkeys([text, text.lower()]))
        known = known_clients.clients_of_key(cursor, look.sync_id, spellings) if look else []
    with short_snapshot(sync) as snapshot:
        return _with_key(snapshot, spellings, known) or known or by_id


def id_of(text: str) -> list[int]:
    """The id that a text is, as a list: empty unless it is one."""
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) < 20
    return [int(text)] if is_number and int(text) in CLIENT_IDS else []


def _with_key(snapshot: Snapshot, spellings: list[str], known: list[int]) -> list[int]:
    """Who has it in B2CORE: looked for where the contract's id of the key is, then everywhere."""
    if CLIENT_KEY not in snapshot.columns().names:
        return []
    keys = literal(spellings)
    made = snapshot.ids_by(_MADE_OF.format(keys=keys), "clients")
    for ids in (np.array([*made, *known], np.int64), None):
        bounds = {"first_id": CLIENT_IDS.start, "last_id": CLIENT_IDS.stop - 1, "ids": ids}
        parts = {"clients": snapshot.text("clients", bounds), "keys": keys}
        sql = _WITH.format(**parts, at_most=known_clients.MAX_FOUND)
        if found := snapshot.ids_by(sql, "clients"):
            return sorted(found)
    return []
