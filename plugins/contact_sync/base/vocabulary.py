"""The codes of the project as types: all that is stored as a word. Imports nothing of the package.

What people read for a code is in words.py, and nowhere else; CONTRIBUTING.md has the glossary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MAX_REASONS = 50
"""So many reasons for which clients are rejected are told apart, most frequent first."""
CLIENT_IDS = range(-(2**63), 2**63)
"""All that a bigint holds: the hash of another key, such as a uuid, may be negative."""
MAX_KEY = 255
"""Characters of a client's key in B2CORE; a client with a longer one is shown by its id."""
MAX_SAMPLE = 1_000
"""So many clients are looked at or tried by themselves."""


class RunKind(StrEnum):
    """What a run reads and sends."""

    INCREMENTAL = "incremental"  # clients that changed since the watermark
    FULL = "full"  # every client; only what differs from the ledger is sent
    RESEND = "resend"  # every client; everything is sent again


class RunState(StrEnum):
    """Where a run is; `SUPERSEDED` = a newer run took the lease before this one ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class Lane(StrEnum):
    """How a batch travels."""

    JSON = "json"  # PUT /v3/marketing/contacts: exact clearing, small runs
    CSV = "csv"  # PUT /v3/marketing/contacts/imports: large runs
    DELETE = "delete"  # DELETE /v3/marketing/contacts: contacts that no client has any more
    UNLIST = "unlist"  # DELETE /v3/marketing/lists/{id}/contacts: off the list, the contact stays
    MOVE = "move"  # PUT /v3/marketing/contacts: what a former contact holds and no sync fills


UPSERTS = (Lane.JSON, Lane.CSV)
SENDING = (*UPSERTS, Lane.MOVE)
REMOVALS = (Lane.DELETE, Lane.UNLIST)


class BatchState(StrEnum):
    """A batch's way; everything before `SUBMITTING`/`UPLOADING` has left no trace at SendGrid."""

    STAGED = "staged"
    SUBMITTING = "submitting"  # stored before the JSON or delete call: its fate may be unknown
    CREATED = "created"  # CSV: the import job exists, no byte has been uploaded
    UPLOADING = "uploading"  # CSV: stored before the first byte leaves
    SUBMITTED = "submitted"  # SendGrid has it; the job is to be polled to its end
    SETTLED = "settled"  # terminal: the ledger knows each client's fate
    VOID = "void"  # terminal: dropped before anything left


class ValueProblem(StrEnum):
    """What is wrong with a client's value; rejects the client, or has the value left out or cut."""

    MISSING = "missing"
    INVALID = "invalid"
    TOO_LONG = "too_long"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_DATE = "not_a_date"
    ROUNDED = "rounded"  # a number with more than two decimals; sent all the same
    TWO_ADDRESSES = "two_addresses"
    LOOK_ALIKE_DOMAIN = "look_alike_domain"  # letters of Latin and of an alphabet that looks alike
    NOT_ASCII = "not_ascii"  # letters before the @ that SendGrid doesn't accept
    NO_COUNTRY = "no_country"  # a national number, and nothing says of which country
    UNKNOWN_COUNTRY = "unknown_country"  # a national number, and its country code is none
    NUMBER_TOO_SHORT = "number_too_short"
    NUMBER_TOO_LONG = "number_too_long"
    NOT_ASSIGNED = "not_assigned"  # the right length, but no such number is given out
    TWO_NUMBERS = "two_numbers"  # and the first of them is no whole number
    NO_NUMBER = "no_number"  # words, a date, an address, a code of buttons


class Refusal(StrEnum):
    """How SendGrid refused a contact; rejects its client."""

    REFUSED_BY_SENDGRID = "refused_by_sendgrid"  # detail: SendGrid's own plain words, if it has any
    IMPORT_FAILED = "import_failed"  # whatever batch the contact is in, SendGrid's job fails
    NEVER_APPLIED = "never_applied"  # sent again and again, and never read back as it was sent


class RefusalSum(StrEnum):
    """Refusals that a run's report adds up; no client has one of these as its own reason."""

    REFUSED_BEFORE = "refused_before"  # not sent, because nothing has changed since the refusal
    OTHER_REFUSALS = "other_refusals"  # the rare ones, where there are too many to list


class PendingReason(StrEnum):
    """Why a client is to be sent again."""

    CHANGED_WHILE_READ = "changed_while_read"
    GONE_WHILE_READ = "gone_while_read"
    CHANGED_SINCE_READ = "changed_since_read"
    SUPPRESSION_UNKNOWN = "suppression_unknown"
    SUPPRESSION_NOT_CARRIED = "suppression_not_carried"
    NOT_SHOWN = "not_shown"
    ADDRESS_NOT_FREE = "address_not_free"
    FATE_UNKNOWN = "fate_unknown"
    JOB_UNKNOWN_TO_SENDGRID = "job_unknown_to_sendgrid"
    JOB_NEVER_ENDED = "job_never_ended"
    UPLOAD_NEVER_ARRIVED = "upload_never_arrived"
    NOT_APPLIED = "not_applied"
    ERRORS_FILE_UNCLEAR = "errors_file_unclear"
    JOB_FAILED = "job_failed"
    REQUEST_REFUSED = "request_refused"
    VALUE_REFUSED = "value_refused"
    STATE_UNPROVEN = "state_unproven"
    FOUND_MISSING = "found_missing"  # by a verification, as the two below
    FOUND_DIFFERENT = "found_different"
    FOUND_OFF_LIST = "found_off_list"
    TRIED_AGAIN = "tried_again"  # of whom SendGrid rejected


FOUND_ABSENT = (PendingReason.FOUND_MISSING, PendingReason.FOUND_OFF_LIST)
"""A person may have removed the contact at SendGrid, and a repair brings it back all the same."""
UNPROVEN = (
    PendingReason.FATE_UNKNOWN, PendingReason.JOB_UNKNOWN_TO_SENDGRID,
    PendingReason.JOB_NEVER_ENDED, PendingReason.UPLOAD_NEVER_ARRIVED, PendingReason.NOT_APPLIED,
    PendingReason.ERRORS_FILE_UNCLEAR, PendingReason.JOB_FAILED, PendingReason.REQUEST_REFUSED,
)  # fmt: skip
"""Those that are the outcome of a whole batch, too: nothing in it could be confirmed."""


class ExclusionReason(StrEnum):
    """Why a client must not be sent."""

    EXCLUDED_BY_B2CORE = "excluded_by_b2core"  # detail: what the column `exclusion` says
    EXCLUDED_ADDRESS = "excluded_address"
    SUPPRESSED_AT_SENDGRID = "suppressed_at_sendgrid"  # detail: the SuppressionKind
    REMOVED_BY_HAND = "removed_by_hand"  # at SendGrid: deleted there, or taken off the list
    SHARED_ADDRESS = "shared_address"  # not stored: it is a fate of its own, counted with these


class SuppressionKind(StrEnum):
    """Why SendGrid sends no mail to an address."""

    UNSUBSCRIBE = "unsubscribe"
    GROUP_UNSUBSCRIBE = "group_unsubscribe"
    SPAM_REPORT = "spam_report"
    INVALID = "invalid"
    BOUNCE = "bounce"
    BLOCK = "block"


class RemovalReason(StrEnum):
    """Why a contact has to leave SendGrid or a list; the names of a definition's policies."""

    ADDRESS_CHANGED = "address_changed"
    ADDRESS_LOST = "address_lost"
    EXCLUDED = "excluded"
    GONE = "gone"
    LIST_CHANGED = "list_changed"
    FOREIGN = "foreign"  # on the sync's list, and no sync ever had it


class Outcome(StrEnum):
    """What became of a batch; of one that proved nothing, one of UNPROVEN stands in its place."""

    APPLIED = "applied"  # numbers: confirmed, rejected, not_applied, again
    NOTHING_LEFT = "nothing_left"
    ALL_REFUSED = "all_refused"
    SENT_AGAIN = "sent_again"
    SPLIT = "split"
    FAILED_ALONE = "failed_alone"
    REFUSED_ALONE = "refused_alone"
    REJECTED_ALONE = "rejected_alone"
    REMOVED = "removed"  # number: removed
    UNLISTED = "unlisted"  # number: removed
    NOT_REMOVED = "not_removed"
    STILL_SHOWN = "still_shown"
    DELETIONS_UNCLEAR = "deletions_unclear"  # of older versions; numbers: deleted, contacts
    NOTHING_THERE = "nothing_there"
    LIST_GONE = "list_gone"
    NOT_FOUND_YET = "not_found_yet"
    UNSEARCHABLE = "unsearchable"
    MOVED = "moved"  # numbers: moved, left
    NOT_MOVED = "not_moved"  # a removal that waits, because what its contact holds isn't moved yet
    MOVE_REFUSED = "move_refused"


NOTHING_TO_REMOVE = (Outcome.NOTHING_THERE, Outcome.LIST_GONE)
"""Outcomes of removals whose contacts are where they shall be without a job."""


class LimitName(StrEnum):
    """What of a plan is above a limit of the definition; the limits' names there."""

    CHANGES = "changes"
    REMOVALS = "removals"
    CLEARS = "clears"


class Answer(StrEnum):
    """What a person answered about a plan above the limits, or that nobody did in time."""

    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"


class JobStatus(StrEnum):
    """SendGrid's import job status (OAS `GET /v3/marketing/contacts/imports/{id}`).

    `pending` also covers *running*. A status that is not in this list counts as `pending` until
    the deadline, and is logged.
    """

    PENDING = "pending"
    COMPLETED = "completed"
    ERRORED = "errored"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        """Whether the job is over."""
        return self is not JobStatus.PENDING


class FieldType(StrEnum):
    """SendGrid's field types."""

    TEXT = "Text"
    NUMBER = "Number"
    DATE = "Date"


@dataclass(frozen=True, slots=True)
class Job:
    """One answer of `GET imports/{id}`. Absent counts are 0 (SendGrid omits zeros).

    `errors_url` is a signed URL and a secret: never log, store or return it from a task.
    """

    job_id: str
    status: JobStatus
    requested: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    errored: int = 0
    errors_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """SendGrid's refusal of one contact; `detail`: its own words, without personal data; `field`:
    the one whose value it refuses, if that has to be there."""

    reason: Refusal
    detail: str | None = None
    field: str = "contact"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a batch ended: the outcome, the numbers that belong to it, and SendGrid's plain words."""

    outcome: Outcome | PendingReason
    numbers: dict[str, int] = field(default_factory=dict)
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class SendGridField:
    """A field definition of the account, reserved or custom."""

    name: str
    id: str
    type: FieldType
    custom: bool
    read_only: bool = False
