"""Cut what is staged into batches: by lane, none too large, suspects apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import Int64, Mask
from contact_sync.base.vocabulary import Lane
from contact_sync.config.tuning import LaneChoice
from contact_sync.contacts.json_bodies import cut_json_batches
from contact_sync.contacts.known_account import max_json_bytes, takes_empty_cells
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.payloads import cut_csv_batches
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.context import mapping_of
from contact_sync.run.unpacking import has_blocks, unpack_run
from contact_sync.state import batches, outbox_blocks, staging
from contact_sync.state.outbox_blocks import Block
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

MAX_APART = 20
"""So many batches a lane, at most, for clients that were sent in vain again and again."""


class Contacts(NamedTuple):
    """What a run has staged: `rows` of the outbox (client_id, size and json_only, by client id) and
    blocks of contacts, by first id."""

    rows: pa.Table
    blocks: list[Block]

    @property
    def number(self) -> int:
        """How many contacts there are."""
        return int(self.rows.num_rows) + sum(block.contacts for block in self.blocks)

    @property
    def is_exact(self) -> Mask:
        """Which of the rows go by JSON in any case."""
        flags = self.rows.column("json_only").combine_chunks()
        return np.asarray(flags.to_numpy(zero_copy_only=False), bool)


class Piece(NamedTuple):
    """A batch to be: contacts of clients between two ids."""

    first_id: int
    last_id: int
    contacts: int


def unpack_unless_usual(sync: Sync, run: Run, contacts: int) -> None:
    """Make rows of a run's blocks, unless nothing but to send them will be done with them: they go
    by CSV, no contact is to be removed or moved, so that none can be taken over, and nobody was
    sent in vain again and again. `contacts`: how many the run sends, by its plan."""
    if not contacts or not has_blocks(sync, run):
        return
    with sync.state.transaction() as cursor:
        is_usual = (
            uses_csv(sync, run, contacts)
            and outbox_blocks.is_fresh(cursor, run.sync_id)
            and not staging.in_vain(cursor, run.sync_id, run.run_id)
        )
    if not is_usual:
        unpack_run(sync, run)


def staged_contacts(sync: Sync, run: Run) -> Contacts:
    """What the run has staged, to be cut. Its blocks are made rows of if a batch can't take one
    whole, with what is staged of clients between its own."""
    with sync.state.transaction() as cursor:
        blocks = outbox_blocks.of_run(cursor, run.run_id)
    found = Contacts(staging.outbox_sizes(sync.state, run.run_id), blocks)
    if not blocks:
        return found
    plain = np.asarray(found.rows.column("client_id"), np.int64)[~found.is_exact]
    largest = together(plain, blocks).contacts.max()
    most = sync.definition.tuning.csv_batch_contacts
    if largest <= most and uses_csv(sync, run, found.number):  # some may have left since the plan
        return found
    unpack_run(sync, run)
    return Contacts(staging.outbox_sizes(sync.state, run.run_id), [])


def uses_csv(sync: Sync, run: Run, contacts: int) -> bool:
    """Whether a run of so many contacts takes the CSV lane for rows that it can carry."""
    return takes_csv(sync, mapping_of(run), contacts)


def takes_csv(sync: Sync, mapping: Mapping, contacts: int) -> bool:
    """The same by the run's mapping."""
    tuning = sync.definition.tuning
    if not takes_empty_cells(sync.profile, mapping):
        return False
    if tuning.lane is LaneChoice.AUTO:
        return contacts > tuning.csv_from_contacts
    return tuning.lane is LaneChoice.CSV


def cut(cursor: Cursor, sync: Sync, run: Run, contacts: Contacts | None) -> list[int]:
    """Create a run's batches; returns their ids. None = it has no slice."""
    if contacts is None or not contacts.number:
        return []
    apart = staging.in_vain(cursor, run.sync_id, run.run_id)
    largest = max_json_bytes(sync.profile)
    ids, size = (np.asarray(contacts.rows.column(c), np.int64) for c in ("client_id", "size"))
    if not uses_csv(sync, run, contacts.number):
        pieces = _pieces(ids, apart, lambda a, b: cut_json_batches(size[a:b], largest))
        return _create(cursor, run, Lane.JSON, pieces, None)
    exact = contacts.is_exact
    plain, sizes = ids[~exact], size[exact]
    most = sync.definition.tuning.csv_batch_contacts
    if contacts.blocks:
        pieces = together(plain, contacts.blocks).filled(most)
    else:
        pieces = _pieces(plain, apart, lambda a, b: cut_csv_batches(b - a, most))
    created = _create(cursor, run, Lane.CSV, pieces, False)
    pieces = _pieces(ids[exact], apart, lambda a, b: cut_json_batches(sizes[a:b], largest))
    return created + _create(cursor, run, Lane.JSON, pieces, True)


class Together(NamedTuple):
    """What has to stay together, by id, as columns: a block with those that overlap it and the rows
    between; any other row by itself."""

    first_id: Int64
    last_id: Int64
    contacts: Int64

    def filled(self, most: int) -> list[Piece]:
        """Pieces of up to `most` contacts, or of what has to stay together and is more."""
        total, pieces, start = np.cumsum(self.contacts), list[Piece](), 0
        while start < len(total):
            before = int(total[start] - self.contacts[start])
            stop = max(start + 1, int(np.searchsorted(total, before + most, "right")))
            ids = int(self.first_id[start]), int(self.last_id[stop - 1])
            pieces.append(Piece(*ids, int(total[stop - 1]) - before))
            start = stop
        return pieces


def together(plain: Int64, blocks: Sequence[Block]) -> Together:
    """What has to stay together of the rows of these clients, by id, and of the blocks."""
    first, last, contacts = (
        np.concatenate([rows, np.array([block[n] for block in blocks], np.int64)])
        for n, rows in ((1, plain), (2, plain), (3, np.ones(len(plain), np.int64)))
    )
    order = np.argsort(first, kind="stable")
    first, last = first[order], np.maximum.accumulate(last[order])
    starts = np.flatnonzero(np.concatenate([[True], first[1:] > last[:-1]]))
    ends = np.append(starts[1:], len(first)) - 1
    return Together(first[starts], last[ends], np.add.reduceat(contacts[order], starts))


def _pieces(
    ids: Int64, apart: list[int], cut: Callable[[int, int], list[tuple[int, int]]]
) -> list[Piece]:
    """Pieces of the clients `ids`, as `cut` cuts a stretch of them into `[start, stop)` ranges.

    Clients that were sent in vain again and again, `apart`, each get a batch of their own, so that
    its job tells of them alone; if they are many, MAX_APART batches, and what is in vain still is
    cut smaller by each next run.
    """
    suspects = np.flatnonzero(np.isin(ids, apart))
    step = -(-len(suspects) // MAX_APART) or 1
    ends = suspects + 1 if step == 1 else suspects[:0]
    bounds = np.unique(np.concatenate([[0, len(ids)], suspects[::step], ends]))
    stretches = pairwise(int(bound) for bound in bounds)
    ranges = [(start + a, start + b) for start, stop in stretches for a, b in cut(start, stop)]
    return [Piece(int(ids[a]), int(ids[b - 1]), b - a) for a, b in ranges]


def _create(
    cursor: Cursor, run: Run, lane: Lane, pieces: list[Piece], json_only: bool | None
) -> list[int]:
    return [
        batches.create_batch(
            cursor, run.run_id, run.sync_id, lane, piece.contacts,
            ids=(piece.first_id, piece.last_id), json_only=json_only,
        )
        for piece in pieces
    ]  # fmt: skip
