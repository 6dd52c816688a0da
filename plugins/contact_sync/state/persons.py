"""Which person each client id belongs to: the ledger's person_hash, and who has left an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from contact_sync.postgres.copying import copy_into
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import removals, statements

if TYPE_CHECKING:
    import pandas as pd

SQL = statements.load("persons")
PERSON = pa.schema([("client_id", pa.int64()), ("person_hash", pa.int64())])


def note(cursor: Cursor, sync_id: int, clients: list[pd.DataFrame]) -> None:
    """Whom ids that the ledger knows belong to; columns of PERSON, every id once. New rows of the
    ledger come with it, from the outbox and from `fates`."""
    if not any(map(len, clients)):
        return
    cursor.execute(SQL["create_person_now"])
    copy_into(cursor, "pg_temp.person_now", PERSON, clients)
    cursor.execute(SQL["note"], {"sync_id": sync_id})


def part_with(cursor: Cursor, sync_id: int, ids: list[int]) -> None:
    """The persons who had these ids are gone: their contacts become removals of that kind, and
    nothing of them goes along. Before the newcomers are noted in the ledger."""
    if ids:
        removals.note_gone(cursor, sync_id, ids=ids)
        cursor.execute(SQL["part_with"], {"sync_id": sync_id, "client_ids": ids})
