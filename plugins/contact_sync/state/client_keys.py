"""The clients' keys in B2CORE (uuids, codes), of sources whose clients.sql gives `client_key`.

For people only: runs know a client by its id. A sync whose source gives none has no row here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from contact_sync.postgres.copying import copy_into
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import statements

if TYPE_CHECKING:
    import pandas as pd

SQL = statements.load("client_keys")
KEY = pa.schema([("client_id", pa.int64()), ("client_key", pa.string())])


def note(cursor: Cursor, sync_id: int, clients: list[pd.DataFrame]) -> None:
    """The keys that clients have now; columns of KEY, every id once, null = it has none."""
    cursor.execute(SQL["create_key_now"])
    copy_into(cursor, "pg_temp.key_now", KEY, clients)
    cursor.execute(SQL["forget_lost"], {"sync_id": sync_id})
    cursor.execute(SQL["note"], {"sync_id": sync_id})


def forget_unknown(cursor: Cursor, sync_id: int, *, has_keys: bool, everyone: bool) -> None:
    """Forget the keys of clients that the sync doesn't know any more, after a run of `everyone`;
    all keys unless the source gives some."""
    if has_keys and everyone:
        cursor.execute(SQL["forget_unknown"], {"sync_id": sync_id})
    if not has_keys:
        forget_all(cursor, sync_id)


def forget_all(cursor: Cursor, sync_id: int) -> None:
    """Forget all keys of a sync."""
    cursor.execute(SQL["forget_all"], {"sync_id": sync_id})
