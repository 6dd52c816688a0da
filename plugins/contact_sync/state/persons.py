"""Which person each client id belongs to, as far as the source tells by `person_key`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import Int64, rows_of
from contact_sync.contacts.ledger_rows import LedgerRows
from contact_sync.postgres.copying import copy_into
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements

if TYPE_CHECKING:
    import pandas as pd

SQL = statements.load("persons")
PERSON = pa.schema([("client_id", pa.int64()), ("person_hash", pa.int64())])


def others_now(cursor: Cursor, sync_id: int, clients: pd.DataFrame, known: LedgerRows) -> Int64:
    """Ids that belong to another person than the one whose contact the ledger has for them: both
    the address and the key are others. `clients`: columns client_id, email_hash, person_hash."""
    ids = clients["client_id"].to_numpy(np.int64)
    rows = known.rows_of(ids)
    moved = (rows.contact_hash != 0) & (
        rows.contact_hash != clients["email_hash"].to_numpy(np.int64)
    )
    now = clients["person_hash"].to_numpy(np.int64)
    moved &= now != 0
    if not moved.any():
        return np.empty(0, np.int64)
    found = many(cursor, SQL["read"], {"sync_id": sync_id, "client_ids": ids[moved].tolist()})
    before = np.array([row["client_id"] for row in found], np.int64)
    at, is_noted = rows_of(before, ids[moved])
    then = np.array([row["person_hash"] for row in found], np.int64)
    differ = is_noted.copy()
    differ[is_noted] = then[at[is_noted]] != now[moved][is_noted]
    return np.asarray(ids[moved][differ], np.int64)


def note(cursor: Cursor, sync_id: int, clients: list[pd.DataFrame]) -> None:
    """Whom the ids belong to now, where that is known; columns of PERSON. Ids come once each."""
    if not clients:
        return
    cursor.execute(SQL["create_person_now"])
    copy_into(cursor, "pg_temp.person_now", PERSON, clients)
    cursor.execute(SQL["note"], {"sync_id": sync_id})


def part_with(cursor: Cursor, sync_id: int, ids: list[int]) -> None:
    """The persons who had these ids are gone: their contacts become removals of that kind, and
    nothing of them goes along. Before the newcomers are noted in the ledger."""
    if ids:
        cursor.execute(SQL["part_with"], {"sync_id": sync_id, "client_ids": ids})
