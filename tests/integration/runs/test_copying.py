"""What is copied into the state database is what PostgreSQL reads."""

from __future__ import annotations

from typing import Any

import pandas as pd
import psycopg
import pyarrow as pa
import pytest
from psycopg.rows import dict_row

from contact_sync.postgres import copying
from contact_sync.state import staging
from contact_sync.state.database import StateDatabase
from local.postgres.server import Cluster
from tests.support.world import World

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


def test_contacts_that_are_not_as_usual_arrive_among_those_that_are(world: World) -> None:
    """Columns are left to their defaults for a whole frame or not at all, whichever comes first."""
    plain = dict.fromkeys(staging.USUAL, 0) | {"json_only": False, "takes_over": False}
    others: list[dict[str, Any]] = [
        {"clears": 4}, {"json_only": True}, {"takes_over": True}, {"stale": 2},
        {"unsure_others": 8}, {},
    ]  # fmt: skip
    staged: list[list[dict[str, Any]]] = [[{}], [{}], *([{}, other] for other in others), [{}], []]
    rows: list[dict[str, Any]] = []
    frames = []
    for some in staged:
        frame = [plain | other | _contact(len(rows) + n) for n, other in enumerate(some, 1)]
        rows += frame
        frames.append(pd.DataFrame(frame, columns=[*plain, *_contact(0)]))
    part = staging.Slice(0, 1, 99, pa.table({"client_id": pa.array([], pa.int64())}))
    with StateDatabase(world.state_url).transaction() as cursor:
        staging.fill_outbox(cursor, 1, part, iter(frames), persons=False, in_blocks=None)
        cursor.execute("SELECT * FROM contact_sync.outbox ORDER BY client_id")
        kept = [{name: row[name] for name in rows[0]} for row in cursor.fetchall()]
    assert kept == rows


def _contact(client_id: int) -> dict[str, Any]:
    """Of the other columns, what has to be there."""
    address = f"{client_id}@example.com"
    hashes = {"email_hash": client_id, "row_hash": client_id}
    numbers = {"filled": 1, "unsure": 16, "size": 40}
    return {"client_id": client_id, "email": address, "payload": address} | hashes | numbers
