"""The words of the project as types. Imports nothing of the package.

A *client* is a row of B2CORE, a *contact* is what SendGrid stores; CONTRIBUTING.md has all words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MAX_MAPPED_FIELDS = 60
"""A filled mask is a signed 64-bit integer: one bit per field that a sync ever mapped."""

APPROVED, REFUSED = "approved", "refused"
"""What a person may have decided about a run's plan."""
MAX_REASONS = 50
"""So many reasons for which clients are rejected are told apart, the most frequent ones."""
MAX_CLIENT_ID = 2**63 - 1
"""B2CORE's ids are positive bigints."""


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


UPSERTS = (Lane.JSON, Lane.CSV)
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

    def counts(self) -> dict[str, int]:
        """The counts for reports, without the URL."""
        return {
            "requested": self.requested,
            "created": self.created,
            "updated": self.updated,
            "deleted": self.deleted,
            "errored": self.errored,
        }


@dataclass(frozen=True, slots=True)
class SendGridField:
    """A field definition of the account, reserved or custom."""

    name: str
    id: str
    type: FieldType
    custom: bool
    read_only: bool = False
