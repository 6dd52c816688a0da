"""Write what SendGrid applied of a batch, and what it refused; steps of one transaction."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import NamedTuple

import pyarrow as pa

from contact_sync.base.vocabulary import Refused
from contact_sync.contacts.refusals import SCHEMA, Refusals
from contact_sync.postgres.copying import copy_batches
from contact_sync.postgres.cursor import Cursor, analyze, one
from contact_sync.state import outbox_blocks, settling, statements
from contact_sync.state.batch_contacts import batch_bounds

SQL = statements.load("confirming")


class Settled(NamedTuple):
    """Numbers of clients: known ones and new ones that are confirmed, and rejected ones."""

    known: int
    new: int
    rejected: int


def count_refused(cursor: Cursor, batch_id: int, refused: Refusals) -> int:
    """How many contacts of the batch are among the refused ones; once a transaction."""
    _load_refused(cursor, refused)
    return int(one(cursor, SQL["count_refused"], {"batch_id": batch_id})["n"])


def confirm(
    cursor: Cursor, batch_id: int, refused: Refusals, again: Collection[str] = ()
) -> Settled:
    """Confirm the batch's contacts except the refused ones, and forget the payloads, but for those
    that are sent `again`."""
    _load_refused(cursor, refused, again)
    parameters = {"batch_id": batch_id}
    bounds = batch_bounds(cursor, batch_id)
    if len(refused) or again:
        outbox_blocks.unpack_batch(cursor, batch_id)
    in_blocks = outbox_blocks.confirm(cursor, bounds["sync_id"], batch_id)
    cursor.execute(SQL["note_former_addresses"], bounds)
    cursor.execute(SQL["forget_kept"], parameters)
    cursor.execute(SQL["release_taken_addresses"], parameters)
    cursor.execute(SQL["forget_removals"], parameters)
    cursor.execute(SQL["confirm_batch"], bounds)
    known = cursor.rowcount
    cursor.execute(SQL["confirm_new"], bounds)
    new, rejected = in_blocks + cursor.rowcount, 0
    if len(refused):
        cursor.execute(SQL["refuse_in_batch"], parameters)
        rejected = cursor.rowcount
    if again:
        cursor.execute(SQL["clear_settled"], parameters)
    else:
        settling.clear(cursor, batch_id)
    return Settled(known, new, rejected)


def refuse(cursor: Cursor, batch_id: int, refused: dict[str, Refused]) -> int:
    """Reject some contacts of a batch, and take them out of it; once a transaction. Returns how
    many."""
    _load_refused(cursor, Refusals(refused.items()))
    cursor.execute(SQL["refuse_in_batch"], {"batch_id": batch_id})
    rejected = cursor.rowcount
    settling.take_out(cursor, batch_id, list(refused))
    return rejected


def _load_refused(cursor: Cursor, refused: Refusals, again: Collection[str] = ()) -> None:
    cursor.execute(SQL["create_refused"])
    if not len(refused) and not again:
        return
    nothing = pa.nulls(len(again), pa.string())
    kept = pa.record_batch([pa.array(again, pa.string()), nothing, nothing, nothing], SCHEMA)
    copy_batches(cursor, "pg_temp.refused", SCHEMA, chain(refused.record_batches(), [kept]))
    analyze(cursor, "pg_temp.refused")
