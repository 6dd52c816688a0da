"""The life of a verification: the codes of its states and verdicts, and what people read for them.

A verification compares SendGrid's own export with what B2CORE calls for.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class VerificationState(StrEnum):
    """Where a verification is; `SUCCEEDED` = it came to its end, whatever it found."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class ExportStatus(StrEnum):
    """SendGrid's status of an export (OAS `GET /v3/marketing/contacts/exports/{id}`)."""

    PENDING = "pending"
    READY = "ready"
    FAILURE = "failure"


class CallsFor(StrEnum):
    """What B2CORE calls for of a client: a contact, or why none."""

    CONTACT = "contact"
    REJECTED = "rejected"  # a value can't be sent, or SendGrid refused it
    EXCLUDED = "excluded"  # it, or somebody with its address
    SHARED = "shared"  # another client represents its address
    REMOVED_BY_HAND = "removed_by_hand"  # a person removed its contact at SendGrid
    MOVED = "moved"  # its address changed while it was read


class Verdict(StrEnum):
    """What is wrong with a client's contact, or with a contact without a client; each is listed."""

    MISSING = "missing"
    DIFFERENT = "different"
    OFF_LIST = "off_list"
    EXCLUDED_ON_LIST = "excluded_on_list"
    DELETED_ON_LIST = "deleted_on_list"
    FORMER_ON_LIST = "former_on_list"
    GHOST = "ghost"  # an address of ours that no client has
    FOREIGN_ON_LIST = "foreign_on_list"  # never ours, on the sync's list
    NOT_COMPARABLE = "not_comparable"


BREACHES = (Verdict.EXCLUDED_ON_LIST, Verdict.DELETED_ON_LIST, Verdict.FORMER_ON_LIST)
"""Contacts that are on the list without right."""
HARMLESS = (Verdict.FOREIGN_ON_LIST,)
"""Findings with which what is this sync's is equal all the same."""


class Count(StrEnum):
    """What a verification counts besides its findings."""

    COMPARED = "compared"  # clients that call for a contact, all their fields
    CLIENTS = "clients"  # in B2CORE
    CONTACTS = "contacts"  # in SendGrid's account
    EQUAL = "equal"
    WAITING = "waiting"  # clients that changed, and a run is to send or to remove them
    LEAVING = "leaving"  # contacts that a run is to remove
    REJECTED = "rejected"
    EXCLUDED = "excluded"
    SHARED = "shared"
    REMOVED_BY_HAND = "removed_by_hand"
    FOREIGN = "foreign"  # contacts that were never ours
    KEPT = "kept"  # contacts of ours without a client that stay by the definition
    LOOKED_AT = "looked_at"  # candidates that were looked up again
    RACES = "races"  # of these, those that were no difference
    UNCLEARED = "uncleared"  # contacts that contradict what the account profile says of clearing


VERDICTS: Mapping[str, tuple[str, str]] = {
    Verdict.MISSING: ("client has no contact", "clients have no contact"),
    Verdict.DIFFERENT: ("contact has other values", "contacts have other values"),
    Verdict.OFF_LIST: ("contact isn't on the list", "contacts aren't on the list"),
    Verdict.EXCLUDED_ON_LIST: (
        "contact is on the list although its client is excluded",
        "contacts are on the list although their clients are excluded",
    ),
    Verdict.DELETED_ON_LIST: (
        "contact is on the list although its client is gone from B2CORE",
        "contacts are on the list although their clients are gone from B2CORE",
    ),
    Verdict.FORMER_ON_LIST: (
        "contact is on the list although its client has another address",
        "contacts are on the list although their clients have other addresses",
    ),
    Verdict.GHOST: (
        "contact should be deleted: no client has its address any more",
        "contacts should be deleted: no client has their addresses any more",
    ),
    Verdict.FOREIGN_ON_LIST: (
        "contact on the list was never this sync's",
        "contacts on the list were never this sync's",
    ),
    Verdict.NOT_COMPARABLE: ("contact can't be compared", "contacts can't be compared"),
}
"""What follows the number: for one, and for any other number."""

COUNTS: Mapping[str, tuple[str, str]] = {
    Count.COMPARED: ("contact compared", "contacts compared"),
    Count.CLIENTS: ("client in B2CORE", "clients in B2CORE"),
    Count.CONTACTS: ("contact in the account", "contacts in the account"),
    Count.EQUAL: ("contact is equal", "contacts are equal"),
    Count.WAITING: (
        "client has changed and waits for a run", "clients have changed and wait for a run",
    ),
    Count.LEAVING: (
        "contact waits for a run that removes it", "contacts wait for a run that removes them",
    ),
    Count.REJECTED: ("client is rejected", "clients are rejected"),
    Count.EXCLUDED: ("client is excluded", "clients are excluded"),
    Count.SHARED: (
        "client is represented by another one with its address",
        "clients are represented by other ones with their addresses",
    ),
    Count.REMOVED_BY_HAND: (
        "client's contact was removed by a person at SendGrid",
        "clients' contacts were removed by a person at SendGrid",
    ),
    Count.FOREIGN: ("contact was never this sync's", "contacts were never this sync's"),
    Count.KEPT: (
        "contact without a client stays, as the definition says",
        "contacts without a client stay, as the definition says",
    ),
    Count.LOOKED_AT: ("candidate was looked up again", "candidates were looked up again"),
    Count.RACES: ("of them was no difference", "of them were no difference"),
    Count.UNCLEARED: (
        "contact has a text that B2CORE doesn't, though the account profile says that files clear "
        "it: unless somebody typed it in at SendGrid, run `probe` again",
        "contacts have texts that B2CORE doesn't, though the account profile says that files clear "
        "them: unless somebody typed them in at SendGrid, run `probe` again",
    ),
}  # fmt: skip
"""The same."""


def told(code: str, n: int) -> str:
    """A count in words, with its number."""
    one, many = {**VERDICTS, **COUNTS}[code]
    return f"{n:,} {one if n == 1 else many}"


def told_compared(counts: Mapping[str, int]) -> str:
    """How many contacts were compared, and how many of their clients wait for a run."""
    codes = (Count.COMPARED, *((Count.WAITING,) if counts.get(Count.WAITING) else ()))
    return "; ".join(told(code, counts.get(code, 0)) for code in codes)


def is_equal(counts: Mapping[str, int]) -> bool:
    """Whether a verification found both sides equal. While everybody waits for a run, as after a
    list was made again, nothing is known to be."""
    nobody = counts.get(Count.EQUAL, 0) == 0 and counts.get(Count.WAITING, 0) > 0
    return unequal(counts) == 0 and not nobody


def unequal(counts: Mapping[str, int]) -> int:
    """How many contacts a verification found not to be as they have to be."""
    return sum(counts.get(code, 0) for code in Verdict if code not in HARMLESS)
