"""What is copied into the state database is what PostgreSQL reads."""

from __future__ import annotations

from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg.rows import dict_row

from contact_sync.postgres import copying
from local.postgres.server import Cluster

SCHEMA = pa.schema([("n", pa.int64()), ("t", pa.string()), ("b", pa.bool_()), ("i", pa.int32())])
ROWS: list[tuple[Any, ...]] = [
    (2**63 - 1, "", True, -(2**31)),
    (-(2**63), 'a "b",\n\\.\t\\N', False, 2**31 - 1),
    (None, None, None, None),
    (0, "Zoë 👩🏽‍🚀 " * 50, True, 0),
    (4, None, False, None),
]


def test_every_value_and_null_arrives(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches of any length, an empty one among them, in pieces of two rows each."""
    monkeypatch.setattr(copying, "MAX_ROWS", 2)
    columns = [list(column) for column in zip(*ROWS, strict=True)]
    table = pa.table(columns, schema=SCHEMA)
    batches = [*table.to_batches(), *table.slice(0, 0).to_batches(), *table.slice(1).to_batches()]
    with psycopg.connect(cluster.url(), row_factory=dict_row) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TEMPORARY TABLE kept (n bigint, t text, b boolean, i integer)")
        copying.copy_batches(cursor, "pg_temp.kept", SCHEMA, batches)
        kept = [tuple(row.values()) for row in cursor.execute("SELECT * FROM kept")]
    assert kept == ROWS + ROWS[1:]
