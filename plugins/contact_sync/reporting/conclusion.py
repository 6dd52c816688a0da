"""Say in one sentence why a contact looks as it does. Pure."""

from __future__ import annotations

from contact_sync.base import words
from contact_sync.base.look_up import DECISIONS, NextDecision
from contact_sync.base.moments import moment
from contact_sync.base.suppressed import KINDS
from contact_sync.base.vocabulary import BatchState, ExclusionReason, FieldType, RemovalReason
from contact_sync.reporting.explanation import Explanation, FieldValue, Known

KEPT_BACK = (
    NextDecision.EXCLUDED, NextDecision.BARRED, NextDecision.REMOVED, NextDecision.REJECTED,
    NextDecision.SHARED, NextDecision.SUPPRESSED, NextDecision.ERASED,
)  # fmt: skip
"""Decisions that B2CORE or a person stands behind: whatever has been sent, nothing is now."""
EXCLUSIONS = {
    NextDecision.EXCLUDED: ExclusionReason.EXCLUDED_BY_B2CORE,
    NextDecision.REMOVED: ExclusionReason.REMOVED_BY_HAND,
}
"""Decisions whose reason, if they have one, is in B2CORE's words: what it belongs to."""


BY_B2CORE = (NextDecision.EXCLUDED, NextDecision.BARRED)
B2CORES_REASONS = (ExclusionReason.EXCLUDED_BY_B2CORE, ExclusionReason.EXCLUDED_ADDRESS)


def conclude(e: Explanation) -> str:
    """One sentence: is it there, and if not, why and what helps."""
    code = e.decision.code
    if code is NextDecision.GONE:
        return _gone(e)
    if code is NextDecision.UNKNOWN:
        return DECISIONS[code]
    return _kept_back(e) or _settled(e) or _under_way(e) or _next_run(e)


def _gone(e: Explanation) -> str:
    if e.known is None and not e.removals:
        return f"Neither B2CORE nor this sync knows client {e.called(e.client_id)}."
    gone = DECISIONS[NextDecision.GONE].format(client=e.called(e.client_id))
    if e.known is None:
        return f"{gone}; {_removed(e, RemovalReason.GONE)}"
    if not e.known.contact:
        return f"{gone} and has no contact."
    return (
        f"{gone}; {e.known.absent} of the latest runs in a row didn't find it, and after two its "
        f"contact is treated as `on_client_deleted` says."
    )


def _removed(e: Explanation, why: RemovalReason) -> str:
    done = all(r.kept for r in e.removals if r.why == why)
    return f"its contact {'belongs to no client any more' if done else 'is about to be removed'}."


def _kept_back(e: Explanation) -> str | None:
    found = e.decision
    if found.code not in KEPT_BACK:
        return None
    code = EXCLUSIONS.get(found.code)
    why = words.reason(code, found.reason) if code else words.reason(found.reason, found.detail)
    if found.code is NextDecision.SUPPRESSED:
        why = f"{KINDS[found.reason]}{found.detail}"
    said = DECISIONS[found.code].format(why=why, field=found.field, by=e.called(found.by))
    if found.code in BY_B2CORE:
        said += _since_when(e)
    has_contact = e.known and e.known.contact and found.code is not NextDecision.REMOVED
    return said + (" Its contact at SendGrid is as it was confirmed last." if has_contact else "")


def _since_when(e: Explanation) -> str:
    """Since when B2CORE's word counts, as far as runs know, and what stands behind it."""
    known = e.known
    is_known = known and known.state == "excluded" and known.reason in map(str, B2CORES_REASONS)
    said = f" A run saw that first on {moment(known.updated_at)}." if known and is_known else ""
    if e.decision.detail:
        said += (
            f" Without that SendGrid's suppression of its address would count: {e.decision.detail}."
        )
    return said


def _settled(e: Explanation) -> str | None:
    known, code = e.known, e.decision.code
    if known is None or code not in (NextDecision.REFUSED, NextDecision.UNCHANGED):
        return None
    if code is NextDecision.REFUSED:
        return DECISIONS[code].format(why=words.reason(known.reason, known.detail))
    said = f"{DECISIONS[code]} on {moment(known.updated_at)}{_in(known)}."
    return f"{said}{_since_then(e)}"


def _since_then(e: Explanation) -> str:
    """What is otherwise now than it was confirmed, and what helps."""
    if e.at_sendgrid and e.at_sendgrid.found is False:
        return " Now it doesn't show the contact: a run with mode resend sends it again."
    stale = [f.name for f in e.fields if f.stale or (f.differs and _is_lasting(f))]
    if e.at_sendgrid and any(f.differs and not _is_lasting(f) for f in e.fields):
        but = f", but for {', '.join(stale)}, which it can't clear" if stale else ""
        return (
            " Now it shows something else: a run with mode resend sends it again, and "
            f"empties what B2CORE doesn't have{but}."
        )
    return f" It still has a value in {', '.join(stale)}, which it can't clear." if stale else ""


def _is_lasting(field: FieldValue) -> bool:
    """Whether nothing can take away what SendGrid has."""
    return field.value == "" and field.type != FieldType.TEXT


def _in(known: Known) -> str:
    sent = known.sent
    if sent is None or sent.batch_id is None:
        return ""
    job = f", job {sent.job_id}" if sent.job_id else ""
    return f" (run {sent.run_id:,}, batch {sent.batch_id:,}{job})"


def _under_way(e: Explanation) -> str | None:
    for sending in e.staged:
        if sending.is_open and sending.state != BatchState.STAGED:
            job = f"job {sending.job_id}" if sending.job_id else "no job yet"
            return (
                f"It is on its way: run {sending.run_id:,}, batch {sending.batch_id:,} "
                f"({sending.state_in_words}, {job}); its outcome isn't known yet."
            )
    if e.staged:
        return f"Run {e.staged[-1].run_id:,} has read it and is about to send it."
    return None


def _next_run(e: Explanation) -> str:
    known, sends = e.known, DECISIONS[NextDecision.SEND]
    if known is None:
        return f"{sends} for the first time."
    if known.state == "pending":
        return f"{sends} again, because {words.reason(known.reason)}."
    if known.state == "excluded":
        return f"{sends}: it was not to be sent, and now it is."
    if known.state == "rejected":
        return f"{sends}: it has changed since it was rejected."
    if not known.own:
        return (
            f"{sends}, because its address has changed; once SendGrid has confirmed the new one, "
            f"the former contact is treated as `on_address_change` says."
        )
    return (
        f"The next run that notices the change sends it, a full run at the latest: its content "
        f"differs from what SendGrid confirmed on {moment(known.updated_at)}."
    )
