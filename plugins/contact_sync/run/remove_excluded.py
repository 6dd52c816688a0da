"""Batch the contacts that leave SendGrid before anything is sent: those of newly excluded clients,
and those that an earlier run has left, or a verification has found, where they have no right to be;
and unsubscribe excluded clients' addresses there, where the definition says so.

The batches are sent as all others: `send_batch`.
"""

from __future__ import annotations

from contact_sync.base.vocabulary import RemovalReason
from contact_sync.run.approve_plan import is_unapproved
from contact_sync.run.removal_batches import plan_removals
from contact_sync.state import moves
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

LEFT = (RemovalReason.ADDRESS_CHANGED, RemovalReason.GONE)
"""A run notes its own of these after its upserts: what is noted before was left."""


def remove_excluded(sync: Sync, run: Run) -> list[int]:
    """Returns the ids of the batches to send; raises like `plan_removals`.

    Of a plan that nobody has approved only the excluded clients' go. While what former contacts
    hold has yet to go along to new ones, former ones wait for it (find_removals).
    """
    left: tuple[RemovalReason, ...] = () if is_unapproved(run) else LEFT
    with sync.state.transaction() as cursor:
        if left and moves.count_open(cursor, run.sync_id):
            left = (RemovalReason.GONE,)
    return plan_removals(sync, run, (RemovalReason.EXCLUDED, *left))
