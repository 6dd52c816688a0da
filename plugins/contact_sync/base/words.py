"""What people read for each code of vocabulary.py: log, report, pages, command line and alerts.

Those of a look-up are in look_up.py, those of what is degraded in degraded.py. A code without words
fails tests/unit/base/test_words.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from contact_sync.base.degraded import DEGRADED, Degraded
from contact_sync.base.json_columns import AboveLimit
from contact_sync.base.numbers import count
from contact_sync.base.suppressed import KINDS
from contact_sync.base.vocabulary import (
    UNPROVEN,
    Answer,
    BatchState,
    ExclusionReason,
    Lane,
    LimitName,
    Outcome,
    PendingReason,
    Refusal,
    RefusalSum,
    RemovalReason,
    ValueProblem,
)

PENDING: dict[str, str] = {
    PendingReason.CHANGED_WHILE_READ: "its address changed while a run was reading it",
    PendingReason.GONE_WHILE_READ: "it was gone from B2CORE when a run came to read it",
    PendingReason.CHANGED_SINCE_READ: "it changed in B2CORE between reading and sending",
    PendingReason.SUPPRESSION_UNKNOWN:
        "its former address may be unsubscribed, and SendGrid didn't say whether it is",
    PendingReason.SUPPRESSION_NOT_CARRIED:
        "its former address is unsubscribed, and SendGrid didn't let its new one be unsubscribed",
    PendingReason.NOT_SHOWN:
        "SendGrid's search doesn't show its contact on the list, which may be too new or may have "
        "been removed by a person",
    PendingReason.ADDRESS_NOT_FREE:
        "its address has the contact of an excluded client, and SendGrid doesn't show yet that "
        "this one is removed",
    PendingReason.FATE_UNKNOWN:
        "a request left and no answer came, so what SendGrid did with it isn't known",
    PendingReason.JOB_UNKNOWN_TO_SENDGRID:
        "SendGrid didn't know the import job when it was asked about it",
    PendingReason.JOB_NEVER_ENDED: "its import job didn't end before the deadline",
    PendingReason.UPLOAD_NEVER_ARRIVED:
        "the answer to an upload was lost and its job didn't start in time",
    PendingReason.NOT_APPLIED: "SendGrid's contact was read back and isn't as it was sent",
    PendingReason.ERRORS_FILE_UNCLEAR:
        "its job refused contacts and its errors file doesn't say which",
    PendingReason.JOB_FAILED: "its import job failed as a whole",
    PendingReason.REQUEST_REFUSED:
        "SendGrid refused every request that it was in, and didn't say that it is the cause",
    PendingReason.VALUE_REFUSED:
        "SendGrid refused one of its values; the next run sends it without that one",
    PendingReason.STATE_UNPROVEN:
        "the state database went back to an earlier state while B2CORE didn't have it",
    PendingReason.FOUND_MISSING: "a verification didn't find its contact at SendGrid",
    PendingReason.FOUND_DIFFERENT: "a verification found other values in its contact at SendGrid",
    PendingReason.FOUND_OFF_LIST: "a verification found its contact off the list",
    PendingReason.TRIED_AGAIN: "SendGrid rejected it some time ago, and it is tried again",
}  # fmt: skip
EXCLUDED: dict[str, str] = {
    ExclusionReason.EXCLUDED_BY_B2CORE: "B2CORE excludes it",
    ExclusionReason.EXCLUDED_ADDRESS: "a client with the same address is excluded",
    ExclusionReason.SUPPRESSED_AT_SENDGRID: "SendGrid suppresses its address",
    ExclusionReason.REMOVED_BY_HAND:
        "a person deleted its contact at SendGrid or took it off the list",
    ExclusionReason.SHARED_ADDRESS: "a newer client has the same address and represents it",
}  # fmt: skip
VALUES: dict[str, str] = {
    ValueProblem.MISSING: "missing",
    ValueProblem.INVALID: "not valid",
    ValueProblem.TOO_LONG: "too long",
    ValueProblem.NOT_A_NUMBER: "not a number",
    ValueProblem.NOT_A_DATE: "not a date",
    ValueProblem.ROUNDED: "rounded to two decimals",
    ValueProblem.TWO_ADDRESSES: "two addresses",
    ValueProblem.LOOK_ALIKE_DOMAIN: "of a domain that mixes two alphabets that look alike",
    ValueProblem.NOT_ASCII: "with characters before the @ that SendGrid doesn't accept",
    ValueProblem.NO_COUNTRY: "without a country code, and the client has no country",
    ValueProblem.UNKNOWN_COUNTRY:
        "without a country code, and the client's country code belongs to no country",
    ValueProblem.NUMBER_TOO_SHORT: "too short for its country",
    ValueProblem.NUMBER_TOO_LONG: "too long for its country",
    ValueProblem.NOT_ASSIGNED: "a number that its country doesn't assign",
    ValueProblem.TWO_NUMBERS: "two numbers",
    ValueProblem.NO_NUMBER: "no phone number",
}  # fmt: skip
REFUSALS: dict[str, str] = {
    Refusal.REFUSED_BY_SENDGRID: "SendGrid refused it",
    Refusal.IMPORT_FAILED: "every import that contains it fails at SendGrid",
    Refusal.NEVER_APPLIED: "SendGrid accepted it several times and never showed it as it was sent",
    RefusalSum.REFUSED_BEFORE: "SendGrid refused it before, and it hasn't changed since",
    RefusalSum.OTHER_REFUSALS: "SendGrid refused it for a rarer reason",
}
REASONS: Mapping[str, str] = PENDING | EXCLUDED | VALUES | REFUSALS
"""Why a client isn't sent, or is to be sent again: what follows "because" or "the field is"."""

REMOVALS: Mapping[str, str] = {
    RemovalReason.ADDRESS_CHANGED: "the client's address has changed",
    RemovalReason.ADDRESS_LOST: "the client has no valid address any more",
    RemovalReason.EXCLUDED: "the client is excluded",
    RemovalReason.GONE: "the client is gone from B2CORE",
    RemovalReason.LIST_CHANGED: "the sync has a different list now",
    RemovalReason.FOREIGN: "it is on the list and was never a client's",
}
"""Why a contact has to leave SendGrid or a list."""

OUTCOMES: Mapping[str, str] = {
    **{code: PENDING[code] for code in UNPROVEN},
    Outcome.APPLIED: "{confirmed:,} confirmed, {rejected:,} rejected",
    Outcome.NOTHING_LEFT: "nothing left to send",
    Outcome.ALL_REFUSED: "SendGrid refused all of them",
    Outcome.SENT_AGAIN: "its job failed; sent again in another one",
    Outcome.SPLIT: "sent again in two halves",
    Outcome.FAILED_ALONE: "the job of this single contact failed",
    Outcome.REFUSED_ALONE: "SendGrid refused this single contact",
    Outcome.REJECTED_ALONE: "the job of this single contact failed; it is rejected",
    Outcome.REMOVED: "{removed:,} removed",
    Outcome.UNLISTED: "{removed:,} taken off the list",
    Outcome.NOT_REMOVED: "not removed; the next run tries again",
    Outcome.STILL_SHOWN: "SendGrid still shows them; the next run looks again",
    Outcome.DELETIONS_UNCLEAR:
        "{deleted:,} of {contacts:,} deletions counted; the next run looks again",
    Outcome.NOTHING_THERE: "nothing there to remove",
    Outcome.LIST_GONE: "the list is gone",
    Outcome.NOT_FOUND_YET: "not found yet; the next run looks again",
    Outcome.UNSEARCHABLE: "SendGrid can't search for these addresses",
    Outcome.MOVED: "{moved:,} seen at the new address, {left:,} not yet",
    Outcome.NOT_MOVED:
        "not removed before the new contact shows what it held; the next run looks again",
    Outcome.MOVE_REFUSED: "SendGrid refused what former contacts hold; the next run tries again",
}  # fmt: skip

LIMITS: Mapping[str, str] = {
    LimitName.CHANGES: "{contacts} would be changed, the limit is {limit:,}",
    LimitName.REMOVALS: "{contacts} would be removed, the limit is {limit:,}",
    LimitName.CLEARS:
        "{field} would be emptied in {n:,} of the {having:,} contacts that have it, the limit is "
        "{limit:,}",
}  # fmt: skip

ANSWERS: Mapping[str, str] = {
    Answer.APPROVED: "approved", Answer.REFUSED: "refused", Answer.EXPIRED: "answered",
}  # fmt: skip
"""What was done to a plan, by somebody or by "nobody within 24 hours"."""

LANES: Mapping[str, str] = {
    Lane.JSON: "upsert (JSON)",
    Lane.CSV: "import (CSV)",
    Lane.DELETE: "delete",
    Lane.UNLIST: "take off the list",
    Lane.MOVE: "move to the new address",
}
BATCH_STATES: Mapping[str, str] = {
    BatchState.STAGED: "waits to be sent",
    BatchState.SUBMITTING: "being sent",
    BatchState.CREATED: "import created",
    BatchState.UPLOADING: "being uploaded",
    BatchState.SUBMITTED: "with SendGrid",
    BatchState.SETTLED: "settled",
    BatchState.VOID: "dropped unsent",
}

COUNTS: Mapping[str, tuple[str, str]] = {
    "read": ("clients read", "looked at in B2CORE"),
    "unchanged": ("unchanged", "SendGrid has confirmed exactly this"),
    "new": ("new", "not at SendGrid so far"),
    "changed": ("changed", "a value differs from what SendGrid confirmed"),
    "address_changed": ("address changed", "the new contact first, then the old one is removed"),
    "sent_again": ("sent again", "never confirmed, or everything is sent again"),
    "looked_at": ("looked at", "contacts of which SendGrid was asked what it has"),
    "cleared": ("cleared", "contacts in which a field is emptied, if it has a value"),
    "to_send": ("to send", "contacts that the run sends"),
    "to_remove": ("to remove", "contacts that leave SendGrid or the list"),
    "newly_excluded": ("newly excluded", "excluded since the last run: the contact leaves"),
    "address_lost": ("address lost", "no valid address any more: the contact leaves"),
    "given_up": ("given up", "moved to another client's address: the former contact leaves"),
    "to_move": ("to move", "clients that take along what a former contact holds"),
    "unmovable": ("unmovable", "clients whose former contact holds what can't be moved"),
    "pending": ("pending", "sent again by the next run"),
    "held": ("held", "not sent for now, see the pending clients"),
    "not_looked_up": ("not looked up", "sent without a look whether a person removed them"),
    "rejected": ("rejected", "can't be sent as they are"),
    "excluded": ("excluded", "must not be sent"),
}
"""A plan's counts in the order in which they are read: the word, and what it means."""

NO_CAUSE = (
    "No task said why: a person marked it as failed in Airflow, or a task's process was killed. "
    "The report of its DAG run says which"
)
"""Of a run that failed and noted no cause."""
REPORT_GONE = "deleted, as old ones are (`retention` in the definition), on"
"""Of a run's report, before the moment."""
ENDED_BY_HAND = (
    "A person ended it in Airflow, by marking the run or one of its tasks: none failed by itself. "
    "Trigger a new run: it continues from the same state"
)
"""Of a run whose last task ran while an earlier one had neither failed nor done its work."""


def reason(code: str, detail: str | None = None) -> str:
    """Why a client isn't sent, or is to be sent again; with the words of others, if there are."""
    said = REASONS.get(code, code)
    if code == ExclusionReason.SUPPRESSED_AT_SENDGRID and detail:
        detail = KINDS.get(detail, detail)
    return f"{said}: {detail}" if detail else said


def outcome(code: str | None, numbers: Mapping[str, int] | None = None) -> str:
    """What became of a batch; "" = it is under way."""
    if code is None:
        return ""
    numbers = numbers or {}
    said = OUTCOMES.get(code, code).format(**numbers)
    more = {"not_applied": "not applied", "again": "sent again without a value that was refused"}
    return ", ".join([said, *(f"{n:,} {more[of]}" for of in more if (n := numbers.get(of)))])


def above_limit(found: AboveLimit) -> str:
    """What of a plan is above a limit."""
    return LIMITS[found.limit].format(
        n=found.n,
        contacts=count(found.n, "contact"),
        limit=found.allowed,
        field=found.field,
        having=found.having,
    )


def degraded(
    found: Mapping[Degraded, int],
    restrained_by: Mapping[str, int],
    in_all: Mapping[Degraded, int] | None = None,
) -> list[str]:
    """What isn't as it should be, a sentence each; `restrained_by`: see Result. `in_all`: how much
    there is of what `found` has only the new part of."""
    numbers = {str(code): n for code, n in found.items()}
    sums = {str(code): n for code, n in (in_all or found).items()}

    def said_of(code: Degraded, n: int) -> str:
        said = f"{n:,} {DEGRADED[code][n != 1]}"
        return said if sums.get(code, n) == n else f"{said} (new; {sums[code]:,} in all)"

    said = [said_of(code, n) for code in Degraded if (n := numbers.get(code))]
    return said + [
        f"the sync {name!r} has no definition here and has {n:,} of them: "
        f"`python -m contact_sync forget {quote(name)}` retires it, "
        f"`python -m contact_sync rename {quote(name)} NEW` if its definition has another name now"
        for name, n in restrained_by.items()
    ]


def counts_in_order(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """A plan's counts, and what else is counted with them, as (word, number)."""
    named = [(word, counts[key]) for key, (word, _) in COUNTS.items() if key in counts]
    return named + [(key.replace("_", " "), n) for key, n in counts.items() if key not in COUNTS]


def counted(*parts: str | None) -> str:
    """The key under which a report counts clients: [field,] code and detail, as far as they are."""
    return ": ".join(filter(None, parts))


def parts_of(key: str, *, has_field: bool) -> tuple[str, str, str]:
    """Field, code and detail of such a key; "" = it has none."""
    field, rest = key.split(": ", 1) if has_field and ": " in key else ("", key)
    code, _, detail = rest.partition(": ")
    return field, code, detail


def counted_in_words(key: str, *, has_field: bool) -> str:
    """Such a key for people."""
    field, code, detail = parts_of(key, has_field=has_field)
    return counted(field, reason(code, detail))
