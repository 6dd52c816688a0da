"""What a run changes for one client: the codes, and what people read for them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ChangeKind(StrEnum):
    """What a run does, or would do, with a client or its contact; a client may have several."""

    NEW = "new"
    CHANGED = "changed"
    MOVED = "moved"  # its address changed: a new contact, the former one goes
    SENT_AGAIN = "sent_again"
    CLEARED = "cleared"  # a text is emptied at SendGrid
    REMOVED = "removed"  # its contact, or a former one, is deleted
    UNLISTED = "unlisted"  # the same, taken off the list
    EXCLUDED = "excluded"
    REJECTED = "rejected"
    ABSENT = "absent"  # gone from B2CORE, whether or not that is believed yet
    DROPPED = "dropped"  # a value that doesn't fit is left out, cut or rounded


KINDS: Mapping[str, tuple[str, str]] = {
    ChangeKind.NEW: ("new", "SendGrid has no contact of the client so far"),
    ChangeKind.CHANGED: ("changed", "a value differs from what SendGrid confirmed"),
    ChangeKind.MOVED: ("moved", "its address has changed: a new contact, and the former one goes"),
    ChangeKind.SENT_AGAIN: ("sent again", "the same values once more"),
    ChangeKind.CLEARED: ("cleared", "a value is emptied at SendGrid"),
    ChangeKind.REMOVED: ("removed", "a contact is deleted at SendGrid"),
    ChangeKind.UNLISTED: ("unlisted", "a contact is taken off the list and stays in the account"),
    ChangeKind.ABSENT: (
        "absent",
        "gone from B2CORE: seen twice, or approved, its contact goes; held, it stays",
    ),
    ChangeKind.EXCLUDED: ("excluded", "newly kept back: it must not be sent"),
    ChangeKind.REJECTED: ("rejected", "newly kept back: it can't be sent as it is"),
    ChangeKind.DROPPED: ("dropped value", "a value that doesn't fit is newly left out or cut"),
}
"""Code → its word, and what it means; in the order of pages."""
SENT = (ChangeKind.NEW, ChangeKind.CHANGED, ChangeKind.MOVED, ChangeKind.SENT_AGAIN)
"""Kinds of clients that are in a batch: SendGrid answers for each of them."""
