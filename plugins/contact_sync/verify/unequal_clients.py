"""Read once more what clients call for whose contact isn't exactly so: by field, this time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Int64, Mask, rows_of
from contact_sync.contacts.meaning import packed
from contact_sync.contacts.transform import transform
from contact_sync.state import refused_values, sides
from contact_sync.state.verifications import Verification
from contact_sync.sync import Sync
from contact_sync.verify.b2core_side import hashes_of
from contact_sync.verify.called_for import SEEN, CalledFor

AT_ONCE = 10_000


def unequal_clients(
    sync: Sync,
    found: Verification,
    called: CalledFor,
    clients: Callable[[], Iterator[pa.RecordBatch]],
) -> Iterator[pa.RecordBatch]:
    """Rows of verify_unequal; `clients`: reads those of `called` once more. B2CORE is asked for the
    clients that have a contact; whose row isn't any more as it was when B2CORE's side was read has
    moved."""
    ids, rows = called.unequal(clients())
    seen = called.has(SEEN)[rows]
    yield _batch(found, ids[~seen], has_moved=False)
    ids, rows = ids[seen], rows[seen]
    with sync.b2core.keeping_connections():
        for start in range(0, len(rows), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            yield from _read(sync, found, called, ids[part], rows[part])


def _read(
    sync: Sync, found: Verification, called: CalledFor, ids: Int64, rows: Int64
) -> Iterator[pa.RecordBatch]:
    mapping = found.destination.mapping
    hashing = sync.hashing()
    bounds = int(ids[0]), int(ids[-1])
    with sync.state.transaction() as cursor:
        refused = refused_values.read(cursor, found.sync_id, *bounds)
    left = np.ones(len(ids), bool)
    with sync.b2core.snapshot() as snapshot:
        for batch in snapshot.clients(mapping.columns, *bounds, ids):
            clients = transform(batch, mapping, hashing, refused).frame
            client_id = clients["client_id"].to_numpy(np.int64)
            at = rows_of(ids, client_id)[0]
            left[at] = False
            same = _is_as_before(clients, called, rows[at])
            fields = pc.if_else(pa.array(same), packed(hashes_of(clients, mapping)), None)
            yield _batch(found, client_id, fields, has_moved=~same)
    yield _batch(found, ids[left], has_moved=True)


def _is_as_before(clients: pd.DataFrame, called: CalledFor, rows: Int64) -> Mask:
    same = clients["row_hash"].to_numpy(np.int64) == called.row_hash[rows]
    same &= clients["email_hash"].to_numpy(np.int64) == called.email_hash[rows]
    sent = clients["exclusion"].isna() & clients["reason"].isna()
    return np.asarray(same & sent.to_numpy(bool), bool)


def _batch(
    found: Verification, ids: Int64, fields: pa.Array | None = None, *, has_moved: Mask | bool
) -> pa.RecordBatch:
    columns = [
        pa.array(np.full(len(ids), found.verification_id)),
        pa.array(ids),
        pa.nulls(len(ids), pa.binary()) if fields is None else fields,
        pa.array(np.broadcast_to(has_moved, len(ids))),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=sides.UNEQUAL)
