"""What an erasure does, step by step, as its record keeps it; the words for each step."""

from __future__ import annotations

from enum import StrEnum


class ErasureStep(StrEnum):
    """A line of an erasure's record."""

    REQUESTED = "requested"  # who asked, why; number: tombstones
    PURGED = "purged"  # numbers: rows of the state database by table
    CONTACTS_DELETED = "contacts_deleted"  # SendGrid's job; number: contacts
    EVENTS_ERASED = "events_erased"  # SendGrid's job; numbers: addresses, refused ones
    STILL_SHOWN = "still_shown"  # a look after the deletion; number: contacts
    NOT_FOUND = "not_found"  # the look that ends a sync's part; number: addresses
    FINISHED = "finished"  # nothing is left to do; the addresses are forgotten
    LIFTED = "lifted"  # who lifted the tombstones, why
    IMPORTED = "imported"  # put back from a file, after the state database went back


STEP_WORDS = {
    ErasureStep.REQUESTED: "asked for",
    ErasureStep.PURGED: "what the state database had of the person is gone",
    ErasureStep.CONTACTS_DELETED: "SendGrid was told to delete the contacts",
    ErasureStep.EVENTS_ERASED: "SendGrid was told to erase the addresses from its event data",
    ErasureStep.STILL_SHOWN: "SendGrid still showed contacts",
    ErasureStep.NOT_FOUND: "a look at SendGrid found nothing",
    ErasureStep.FINISHED: "finished",
    ErasureStep.LIFTED: "lifted: the person may come back",
    ErasureStep.IMPORTED: "put back from a file",
}


class TombstoneKind(StrEnum):
    """What a tombstone stands for."""

    ADDRESS = "address"  # of every sync
    CLIENT = "client"  # a client's id, of one sync


MAX_REASON = 200
"""Characters of the reason that a person gives: it is kept for ever."""
