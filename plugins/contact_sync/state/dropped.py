"""Values that SendGrid lacks, or has cut or rounded, because they don't fit: whose, which and why,
since when. Never the value itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import Int64, rows_of
from contact_sync.base.words import counted
from contact_sync.postgres.copying import copy_into
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import statements
from contact_sync.state.ledger import MAX_LISTED_IDS

if TYPE_CHECKING:
    import pandas as pd

    from contact_sync.contacts.transform import Dropped

SQL = statements.load("dropped")
FOUND = pa.schema([("client_id", pa.int64()), ("field", pa.string()), ("reason", pa.string())])


def replace_dropped(cursor: Cursor, sync_id: int, read: Int64, found: list[Dropped]) -> None:
    """Make the dropped values of the clients that were `read`, ids ascending, the `found` ones.

    What was there already keeps its `since`; a value with another reason begins anew.
    """
    cursor.execute(SQL["create_found"])
    if found:
        copy_into(cursor, "pg_temp.found", FOUND, _frames(found))
    if len(read) > MAX_LISTED_IDS:
        read = _with_rows(cursor, sync_id, read)
    if len(read):
        cursor.execute(SQL["forget_mended"], {"sync_id": sync_id, "client_ids": read.tolist()})
    if found:
        cursor.execute(SQL["note_found"], {"sync_id": sync_id})


def _with_rows(cursor: Cursor, sync_id: int, read: Int64) -> Int64:
    """Those of the clients that have any dropped value, which are few."""
    bounds = {"sync_id": sync_id, "first_id": int(read[0]), "last_id": int(read[-1])}
    row = one(cursor, SQL["clients_of_range"], bounds)
    known = np.array(row["client_ids"], np.int64)
    return known[rows_of(read, known)[1]]


def _frames(found: list[Dropped]) -> Iterator[pd.DataFrame]:
    """A frame for each field and reason, one after the other."""
    import pandas as pd

    parts: dict[tuple[str, str], list[Int64]] = defaultdict(list)
    for part in found:
        parts[part.field, str(part.reason)].append(part.client_id)
    for (field, reason), ids in parts.items():
        yield pd.DataFrame({"client_id": np.concatenate(ids), "field": field, "reason": reason})


def forget_unsent(cursor: Cursor, sync_id: int, *, everyone: bool) -> None:
    """Forget the values of clients that SendGrid refused: nothing of them is sent. `everyone`: also
    of clients that the ledger doesn't know, because they vanished before they were ever sent."""
    cursor.execute(SQL["forget_rejected"], {"sync_id": sync_id})
    if everyone:
        cursor.execute(SQL["forget_unknown"], {"sync_id": sync_id})


def count_dropped(
    cursor: Cursor, sync_id: int, run_id: int
) -> tuple[dict[str, int], dict[str, int]]:
    """How many values are dropped, cut or rounded now, and how many of them are new since the last
    run before this one that succeeded; both by `words.counted`, the most frequent first."""
    rows = many(cursor, SQL["count_dropped"], {"sync_id": sync_id, "run_id": run_id})
    now = {counted(row["field"], row["reason"]): row["n"] for row in rows}
    new = {counted(row["field"], row["reason"]): row["new"] for row in rows if row["new"]}
    return now, new
