"""Write clients that are kept back into the ledger: rejected, excluded, pending, sharing ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from contact_sync.postgres.copying import copy_into
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import statements

if TYPE_CHECKING:
    import pandas as pd

SQL = statements.load("fates")
FATE = pa.schema(
    [
        ("client_id", pa.int64()), ("state", pa.string()), ("email_hash", pa.int64()),
        ("row_hash", pa.int64()), ("field", pa.string()), ("reason", pa.string()),
        ("detail", pa.string()), ("person_hash", pa.int64()),
    ]
)  # fmt: skip
"""A client that isn't sent; row_hash null = unknown, person_hash 0 = unknown."""


def merge_fates(cursor: Cursor, sync_id: int, fates: pd.DataFrame) -> None:
    """Write rejected, excluded and pending clients; `fates` has the columns of FATE."""
    if fates.empty:
        return
    cursor.execute(SQL["create_fate"])
    copy_into(cursor, "pg_temp.fate", FATE, [fates])
    cursor.execute(SQL["note_lost_addresses"], {"sync_id": sync_id})
    cursor.execute(SQL["note_excluded_addresses"], {"sync_id": sync_id})
    cursor.execute(SQL["merge_fates"], {"sync_id": sync_id})
