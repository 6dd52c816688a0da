"""Who was deleted at SendGrid by a person, or taken off the list, isn't brought back by a change.

A contact that this sync has confirmed is looked up before it is sent again. If it isn't there, or
not on the list, although a search that lags can't be the cause, a person has removed it: its client
is excluded until a run of mode `resend`. If the search may lag, the client waits for the next run.
A list that has lost its contacts looks the same: above the limit of removals a person decides.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from contact_sync.base.errors import FatalError
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import Answer, PendingReason, RunKind
from contact_sync.run.context import mapping_of, snapshot_of
from contact_sync.run.sending import removal_targets
from contact_sync.run.sending.changed_fields import note_looked_up
from contact_sync.run.sending.look_up import look_up
from contact_sync.state import dropped, removed_by_hand, suppressions
from contact_sync.state.removed_by_hand import Own
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
MAX_LOOKED_UP = 10_000
"""A run that changes more contacts, as after an edit of the mapping, looks none of them up."""
NOTED_AT_ONCE = 1_000
"""Contacts that are in memory at once, until it is noted which of their fields change: a
transaction for each call would take longer than the call."""


def leave_removed(sync: Sync, run: Run, own: int) -> dict[str, int]:
    """Keep staged clients back whose contact a person has removed at SendGrid.

    `own`: so many staged clients have a contact at their address already. Returns numbers of
    clients for the plan: `removed_by_hand`, `not_shown` (wait for the next run), `not_looked_up`
    (sent without a look: too many). Raises FatalError if more are removed than the definition's
    limit of removals allows and the run's plan wasn't approved beforehand.
    """
    if run.kind is RunKind.RESEND or not own:
        return {}
    if own > MAX_LOOKED_UP:
        return {"not_looked_up": own}
    with sync.state.transaction() as cursor:
        contacts = removed_by_hand.own_contacts(cursor, run.sync_id, run.run_id)
    gone: list[int] = []
    late: list[int] = []
    for start in range(0, len(contacts), NOTED_AT_ONCE):
        part = contacts[start : start + NOTED_AT_ONCE]
        found, unsearchable = look_up(sync, run, [contact.email for contact in part])
        note_looked_up(sync, run, [contact.client_id for contact in part], found)
        searched = [contact for contact in part if contact.email not in unsearchable]
        for contact in _missing(run, searched, found):
            age = contact.seconds
            is_sure = age is None or age >= removal_targets.SEARCH_LAG_SECONDS
            (gone if is_sure else late).append(contact.client_id)
    if not gone and not late:
        return {}
    _refuse_many(sync, run, len(gone), len(contacts))
    with sync.state.transaction(run.fence) as cursor:
        removed_by_hand.exclude(cursor, run.sync_id, run.run_id, gone)
        dropped.replace_dropped(cursor, run.sync_id, np.array(gone, np.int64), [])
        suppressions.hold(cursor, run.sync_id, run.run_id, late, PendingReason.NOT_SHOWN)
        reach("removed_by_hand_uncommitted")
    log.warning("%s removed at SendGrid by a person, not sent before a run of mode resend; not "
                "shown yet: %s more",
                count(len(gone), "changed client was", "changed clients were"),
                f"{len(late):,}")  # fmt: skip
    return {"removed_by_hand": len(gone), "not_shown": len(late)}


def _refuse_many(sync: Sync, run: Run, gone: int, looked_up: int) -> None:
    limit = sync.definition.limits.removals.of(snapshot_of(run).selected)
    is_approved = run.approval is not None and run.approval.decision == Answer.APPROVED
    if gone <= limit or is_approved:
        return
    raise FatalError(
        f"{gone:,} of the {count(looked_up, 'contact')} that were to be changed are gone from "
        f"SendGrid or from the list, and this sync hasn't removed them; the limit of removals is "
        f"{limit:,}. Nothing was sent. If the list or its contacts were lost, a run of mode resend "
        f"brings them back: `python -m contact_sync run {sync.definition.name} --mode resend`. If "
        f"people removed them and they are to stay away, run once with --approve (in Airflow: "
        f"Don't ask)"
    )


def _missing(run: Run, own: list[Own], contacts: dict[str, dict[str, Any]]) -> list[Own]:
    """Those whose contact doesn't exist or isn't on the list, as far as SendGrid's search shows.

    On the list that it was confirmed on, unless the sync has another one by now.
    """
    here = mapping_of(run).list_id
    return [
        client
        for client in own
        if (contact := contacts.get(client.email)) is None
        or (here == client.list_id and here not in (None, *(contact.get("list_ids") or ())))
    ]
