"""A client's change in a run in words: why, and what SendGrid answered. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from contact_sync.base import words
from contact_sync.base.changes import KINDS, SENT, ChangeKind

REMOVING = (ChangeKind.REMOVED, ChangeKind.UNLISTED)
NOT_COMPARED = "not compared"
"""Of a changed client whose contact wasn't looked up."""
EQUAL_ALREADY = "SendGrid has these values already"


@dataclass(frozen=True, slots=True)
class Change:
    """What a run does with a client; columns as in the table `change`.

    `batch_id` and the job's columns: of the batch of this run that it is in, None = of none.
    `state`: its fate after that, None = not known yet, or none of it. `sealed`: encrypted values.
    """

    client_id: int
    client_key: str | None
    kind: str
    field: str
    reason: str | None
    detail: str | None
    fields: int | None
    sealed: bytes | None = dataclasses.field(repr=False)
    batch_id: int | None
    lane: str | None
    job_id: str | None
    job_status: str | None
    outcome: str | None
    numbers: dict[str, int] | None
    state: str | None

    def names(self, fields: list[str]) -> list[str] | None:
        """The fields that change, of all that the sync ever filled (`SyncRow.fields`); None = it
        wasn't compared."""
        mask = self.fields
        if mask is None:
            return None
        return [name for bit, name in enumerate(fields) if mask >> bit & 1]


def kind(code: str) -> str:
    """The word for a kind."""
    return KINDS[code][0]


def why(change: Change) -> str:
    """The reason for which a client is kept back, a value is left out, or a contact goes."""
    if change.reason is None:
        return ""
    if change.kind in REMOVING:
        return words.REMOVALS[change.reason]
    return words.counted(change.field or None, words.reason(change.reason, change.detail))


def answer(change: Change, *, is_over: bool) -> str:
    """What SendGrid has made of it; "" = it wasn't asked. `is_over`: the run has ended."""
    if change.kind in REMOVING:
        return words.outcome(change.outcome, change.numbers) or "under way"
    if change.kind not in SENT:
        return ""
    if change.state is None:
        return "not sent" if is_over else "not sent yet"
    return change.state


def job(change: Change) -> str:
    """The batch that the client is in, and SendGrid's job of it."""
    if change.batch_id is None:
        return ""
    said = f"batch {change.batch_id:,}"
    return f"{said}, job {change.job_id}: {change.job_status}" if change.job_id else said


def note(change: Change) -> str:
    """What stands in place of a changed client's fields where none is named."""
    if change.kind != ChangeKind.CHANGED or change.fields:
        return ""
    return NOT_COMPARED if change.fields is None else EQUAL_ALREADY


def reason(kind_code: str, code: str | None) -> str:
    """A reason for which there are changes of a kind; "" = none."""
    if code is None:
        return ""
    return words.REMOVALS[code] if kind_code in REMOVING else words.reason(code)
