"""Stage who represents a shared address because its newest client is rejected.

Only after all slices are staged is it known who is rejected. In later runs the ledger knows, and
`contacts.selection` passes the rejected client over.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa

from contact_sync.base.json_columns import Staged
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import ExclusionReason
from contact_sync.contacts.selection import SEND, TAKES_OVER
from contact_sync.state import batches, staging
from contact_sync.state.runs import Run
from contact_sync.state.staging import HEIRS, Heir, Slice
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_ROUNDS = 10
"""An heir may be rejected as well: then the next one is sought, so often in a run."""


def stage_heirs(sync: Sync, run: Run) -> None:
    """Stage them, each round as a slice of its own; a repetition does it again.

    Where nobody was staged nobody was rejected. Not of a dry run: nobody is rejected there, so that
    its numbers may be off by these clients.
    """
    with sync.state.transaction(run.fence) as cursor:
        is_empty = not staging.slice_counts(cursor, run.run_id)
        if is_empty or batches.has_begun_to_send(cursor, run.run_id):
            return
        staging.drop_sparse_slices(cursor, run.run_id)
    for number in range(MAX_ROUNDS):
        with sync.state.transaction(run.fence) as cursor:
            found = staging.heirs(cursor, run.sync_id, run.run_id)
            if not found:
                return
            part = _slice(HEIRS - number, found)
            staging.add_slices(cursor, run.run_id, [part])
        staged = _without_twice(_staged(sync, run, part), found)
        with sync.state.transaction(run.fence) as cursor:
            staging.save_slice_counts(cursor, run.run_id, part.slice_no, staged)
        log.info(
            "Of rejected clients %s by older ones",
            count(len(found), "address is represented", "addresses are represented"),
        )


def _staged(sync: Sync, run: Run, part: Slice) -> Staged:
    from contact_sync.run.stage_clients import stage_clients  # brings pandas along

    return stage_clients(sync, run, part.slice_no)


def _slice(number: int, found: list[Heir]) -> Slice:
    members = pa.table(
        {
            "client_id": pa.array([heir.client_id for heir in found], pa.int64()),
            "email_hash": pa.array([heir.email_hash for heir in found], pa.int64()),
            "verdict": np.array([TAKES_OVER * heir.takes_over + SEND for heir in found], np.int8),
        }
    )
    return Slice(number, found[0].client_id, found[-1].client_id, members)


def _without_twice(staged: Staged, found: list[Heir]) -> Staged:
    """The slice's counts, less what was counted when the clients seemed to be represented."""
    twice = sum(heir.judged for heir in found)
    counts, exclusions = Counter(staged.counts), Counter(staged.exclusions)
    counts.subtract({"read": twice, "excluded": twice})
    exclusions.subtract({str(ExclusionReason.SHARED_ADDRESS): twice})
    return replace(staged, counts=dict(counts), exclusions=dict(exclusions))
