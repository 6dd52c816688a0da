"""A client's fate in the ledger: what each one means, and what decides it.

The database's constraint `ledger_fate` refuses a row that doesn't hold what its fate promises;
docs/architecture.md draws the table. Fates are written for many clients at once, each change by one
statement of include/sql/state/.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from contact_sync.base.vocabulary import ExclusionReason, PendingReason, Refusal


class Fate(IntEnum):
    """What became of a client, as arrays hold it; `word` is how the ledger's `state` says it."""

    CONFIRMED = 0
    PENDING = 1
    REJECTED = 2
    EXCLUDED = 3
    SHARED = 4

    @property
    def word(self) -> str:
        """`confirmed`, …"""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Fate:
        """The fate of a ledger's `state`."""
        return cls[word.upper()]

    @property
    def counted_as(self) -> Fate:
        """Reports know four fates: to share an address is one way of being excluded."""
        return Fate.EXCLUDED if self is Fate.SHARED else self


class Cause(IntEnum):
    """What a client's fate is due to, as arrays hold it: another client, or somebody at SendGrid,
    may change it without a change of the client's own row."""

    ITSELF = 0  # its own row, and whatever isn't named here
    ADDRESS = 1  # another client of its address is excluded
    SUPPRESSED = 3  # SendGrid suppresses its address, and the definition excludes it for that
    SENDGRID = 2  # SendGrid refused it, or a person removed its contact there
    CONTACT = 4  # its contact isn't as the sync left it, or nobody knows whether it is

    @classmethod
    def of(cls, reason: str | None) -> Cause:
        """The cause that a ledger's `reason` tells."""
        if reason == ExclusionReason.EXCLUDED_ADDRESS:
            return cls.ADDRESS
        if reason == ExclusionReason.SUPPRESSED_AT_SENDGRID:
            return cls.SUPPRESSED
        if reason in SAID_BY_SENDGRID:
            return cls.SENDGRID
        return cls.CONTACT if reason in OF_CONTACT else cls.ITSELF


SAID_BY_SENDGRID = (*Refusal, ExclusionReason.REMOVED_BY_HAND)
"""Reasons whose cause is SENDGRID."""
OF_CONTACT = (
    PendingReason.FOUND_MISSING, PendingReason.FOUND_DIFFERENT, PendingReason.FOUND_OFF_LIST,
    PendingReason.STATE_UNPROVEN,
)  # fmt: skip
"""Reasons whose cause is CONTACT: a field that the ledger calls filled may be somebody else's."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a fate means, and which columns of the ledger then have a value or have none."""

    meaning: str
    has: tuple[str, ...]
    lacks: tuple[str, ...]


PROMISES = {
    Fate.CONFIRMED: Promise(
        "SendGrid has confirmed its contact as it is known here",
        has=("email", "contact_hash", "row_hash"),
        lacks=("field", "reason", "rejected_since"),
    ),
    Fate.PENDING: Promise(
        "the next run looks at it again and sends it", has=("reason",), lacks=("field", "row_hash")
    ),
    Fate.REJECTED: Promise(
        "it can't be sent as it is, or SendGrid refused it",
        has=("field", "reason", "rejected_since"),
        lacks=(),
    ),
    Fate.EXCLUDED: Promise(
        "it must not be sent, or has the address of a client that must not be, or a person removed "
        "its contact at SendGrid",
        has=("reason",),
        lacks=("field", "row_hash", "rejected_since"),
    ),
    Fate.SHARED: Promise(
        "another client has its address and represents it",
        has=(),
        lacks=("email", "contact_hash", "field", "reason", "row_hash", "rejected_since"),
    ),
}
"""For each fate. `email` and `contact_hash` go together in all of them. The one exception: a
client whose address another one took over has, confirmed or not, no contact and no row_hash any
more, and `email_hash` 0, so that it looks moved to the next run."""


@dataclass(frozen=True, slots=True)
class Change:
    """One way from fates to a fate: None = before or after the ledger knows the client."""

    statement: str
    came_from: tuple[Fate | None, ...]
    to: Fate | None
    task: str
    meaning: str


KNOWN = tuple(Fate)
ANY = (None, *KNOWN)

CHANGES = (
    Change("fates.merge_fates", ANY, Fate.REJECTED, "stage_clients",
           "one of its values can't be sent"),
    Change("fates.merge_fates", ANY, Fate.EXCLUDED, "stage_clients",
           "B2CORE excludes it, or the definition does, because SendGrid suppresses its address"),
    Change("fates.merge_fates", ANY, Fate.SHARED, "stage_clients",
           "a newer client has its address"),
    Change("fates.merge_fates", ANY, Fate.PENDING, "stage_clients",
           "it changed while it was being read"),
    Change("suppressions.hold", KNOWN, Fate.PENDING, "plan_batches",
           "whether its former address is unsubscribed isn't known, or SendGrid doesn't show its "
           "contact yet"),
    Change("removed_by_hand.exclude", KNOWN, Fate.EXCLUDED, "plan_batches",
           "a person has removed its contact at SendGrid"),
    Change("settling.hold_clients", ANY, Fate.PENDING, "send_batch",
           "it changed between reading and sending, its opt-out can't be carried over, or its "
           "address isn't free of an excluded client's contact"),
    Change("confirming.confirm_batch", KNOWN, Fate.CONFIRMED, "send_batch, settle_earlier_runs",
           "its job has applied it"),
    Change("confirming.confirm_new", (None,), Fate.CONFIRMED, "send_batch, settle_earlier_runs",
           "the same, of a client that the ledger doesn't know yet"),
    Change("settling.hold_clients", ANY, Fate.PENDING, "send_batch",
           "SendGrid refused every request that it was in, and not for a contact that is known"),
    Change("confirming.refuse_in_batch", ANY, Fate.REJECTED, "send_batch, settle_earlier_runs",
           "SendGrid refused it and said why, or it makes an import fail"),
    Change("settling.postpone_batch", ANY, Fate.PENDING, "send_batch, settle_earlier_runs",
           "what SendGrid did with it isn't known, or SendGrid did nothing"),
    Change("settling.reject_not_applied", (Fate.PENDING,), Fate.REJECTED,
           "send_batch, settle_earlier_runs", "SendGrid never showed it as it was sent"),
    Change("identity.leave_unproven", (Fate.CONFIRMED,), Fate.PENDING, "finish_run",
           "the state database went back, and B2CORE doesn't hold the client that has to be sent"),
    Change("rejections.confirm", (Fate.REJECTED,), Fate.CONFIRMED, "select_clients",
           "a look-up shows its contact as it shall be"),
    Change("rejections.try_again", (Fate.REJECTED,), Fate.PENDING, "select_clients",
           "a look-up shows its contact with other values"),
    Change("rejections.retry", (Fate.REJECTED,), Fate.PENDING, "select_clients",
           "SendGrid rejected it some time ago: it is tried again, ever more rarely"),
    Change("repairs.send_again", (Fate.CONFIRMED, Fate.PENDING, Fate.EXCLUDED), Fate.PENDING,
           "a verification's repair",
           "its contact is missing, different or off the list; of the excluded ones only whom a "
           "person removed"),
    Change("rebuilds.confirm_equal", ANY, Fate.CONFIRMED, "a verification's rebuild",
           "its contact is equal to what it calls for"),
    Change("rebuilds.leave_unproven", (Fate.CONFIRMED,), Fate.PENDING, "a verification's rebuild",
           "the state database went back, and its contact wasn't found equal"),
    Change("removals.retire_absent", KNOWN, None, "find_removals",
           "two snapshots of B2CORE in a row didn't hold it"),
    Change("persons.part_with", KNOWN, None, "stage_clients", "its id belongs to another person"),
    Change("purging.purge_ledger", KNOWN, None, "an erasure", "a person asked for its erasure"),
    Change("syncs.forget_ledger", KNOWN, None, "the command forget", "its sync is retired"),
)  # fmt: skip

KEPT_FATE = ("confirming.release_taken_addresses", "removals.release_contacts",
             "ledger.see_present", "ledger.see_everybody", "ledger.count_absences",
             "removals.see_off",
             "exclusions.see", "exclusions.forget_looks", "settling.count_look", "rejections.see",
             "identity.look_at_excluded_again", "rebuilds.release_taken",
             "identity.widen", "persons.note", "rehashing.rehash_ledger")  # fmt: skip
"""Statements that write the ledger and no fate: a contact is no longer its client's, an absence, a
look-up, whom a contact belongs to; a new hash key."""
