"""Batch the contacts of newly excluded clients, which leave SendGrid before anything is sent; and
unsubscribe their addresses there, where the definition says so.

The batches are sent as all others: `send_batch`.
"""

from __future__ import annotations

from contact_sync.base.vocabulary import RemovalReason
from contact_sync.run.removal_batches import plan_removals
from contact_sync.state.runs import Run
from contact_sync.sync import Sync


def remove_excluded(sync: Sync, run: Run) -> list[int]:
    """Returns the ids of the batches to send; raises like `plan_removals`."""
    return plan_removals(sync, run, (RemovalReason.EXCLUDED,))
