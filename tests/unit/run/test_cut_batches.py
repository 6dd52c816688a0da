"""Batches are cut at the bounds of blocks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contact_sync.run import cut_batches
from contact_sync.state.outbox_blocks import Block

IDS = st.integers(-50, 50)


@st.composite
def staged(draw: st.DrawFn) -> tuple[list[int], list[Block]]:
    """Rows and blocks of clients, in which each client is once; blocks overlap."""
    ids = draw(st.lists(IDS, unique=True, min_size=1))
    places = [draw(st.integers(0, 4)) for _ in ids]
    blocks = [[one for one, at in zip(ids, places, strict=True) if at == n] for n in range(1, 5)]
    rows = sorted(one for one, at in zip(ids, places, strict=True) if at == 0)
    return rows, sorted(Block(1, min(b), max(b), len(b)) for b in blocks if b)


@settings(report_multiple_bugs=False)  # a mutant has one: the first
@given(staged(), st.integers(1, 20))
def test_each_contact_is_in_one_batch_and_each_block_whole(
    contacts: tuple[list[int], list[Block]], more: int
) -> None:
    """Batches don't overlap, count what they hold, and are no larger than they may be."""
    rows, blocks = contacts
    wholes = cut_batches.together(np.array(rows, np.int64), blocks)
    most = int(wholes.contacts.max()) + more
    pieces = wholes.filled(most)
    assert all(a.last_id < b.first_id for a, b in pairwise(pieces))
    for piece in pieces:
        inside = [b for b in blocks if piece.first_id <= b.first_id <= piece.last_id]
        assert all(b.last_id <= piece.last_id for b in inside)
        of_rows = sum(piece.first_id <= one <= piece.last_id for one in rows)
        assert piece.contacts == of_rows + sum(b.contacts for b in inside) <= most
    assert sum(piece.contacts for piece in pieces) == len(rows) + sum(b.contacts for b in blocks)


def test_what_is_larger_than_a_batch_may_be_is_one_by_itself() -> None:
    """Cutting ends, whatever is staged: it has a transaction open."""
    wholes = cut_batches.together(np.array([1, 9], np.int64), [Block(1, 2, 4, 3)])
    assert wholes.filled(1) == [(1, 1, 1), (2, 4, 3), (9, 9, 1)]
