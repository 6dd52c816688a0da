"""Say in one sentence why a contact looks as it does. Pure."""

from __future__ import annotations

from contact_sync.base import words
from contact_sync.base.vocabulary import BatchState, ExclusionReason, FieldType, RemovalReason
from contact_sync.reporting.explanation import Explanation, FieldValue, Known, moment


def conclude(e: Explanation) -> str:
    """One sentence: is it there, and if not, why and what helps."""
    if e.decision.kind == "gone":
        return _gone(e)
    if e.decision.kind == "unknown":
        return "No run of this sync has looked at its clients yet: the first one loads everyone."
    return _kept_back(e) or _settled(e) or _under_way(e) or _next_run(e)


def _gone(e: Explanation) -> str:
    if e.known is None and not e.removals:
        return f"Neither B2CORE nor this sync knows client {e.client_id}."
    if e.known is None:
        return f"Client {e.client_id} is gone from B2CORE; {_removed(e, RemovalReason.GONE)}"
    if not e.known.contact:
        return f"Client {e.client_id} is gone from B2CORE and has no contact."
    return (
        f"Client {e.client_id} is gone from B2CORE; {e.known.absent} of the latest runs in a row "
        f"didn't find it, and after two its contact is treated as `on_client_deleted` says."
    )


def _removed(e: Explanation, why: RemovalReason) -> str:
    done = all(r.kept for r in e.removals if r.why == why)
    return f"its contact {'belongs to no client any more' if done else 'is about to be removed'}."


def _kept_back(e: Explanation) -> str | None:
    v = e.decision
    left = ""
    if e.known and e.known.contact:
        left = " Its contact at SendGrid is as it was confirmed last."
    if v.kind == "excluded":
        why = words.reason(ExclusionReason.EXCLUDED_BY_B2CORE, v.reason)
        return f"It isn't sent, because {why}.{left}"
    if v.kind == "barred":
        return f"It isn't sent, because client {v.by} has the same address and is excluded.{left}"
    if v.kind == "rejected":
        why = words.reason(v.reason, v.detail)
        return f"It isn't sent, because its {v.field} is {why}. Correct it in B2CORE.{left}"
    if v.kind == "shared":
        return (
            f"It isn't sent, because client {v.by}, which is newer, has the same address and "
            f"represents it.{left}"
        )
    return None


def _settled(e: Explanation) -> str | None:
    known = e.known
    if known is None:
        return None
    if e.decision.kind == "refused":
        return (
            f"It isn't sent, because {words.reason(known.reason, known.detail)}. It hasn't changed "
            f"since: change it in B2CORE, or start a run that retries rejected clients."
        )
    if e.decision.kind != "unchanged":
        return None
    said = f"SendGrid has confirmed exactly this content on {moment(known.updated_at)}{_in(known)}."
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
    return f" (run {sent.run_id}, batch {sent.batch_id}{job})"


def _under_way(e: Explanation) -> str | None:
    for sending in e.staged:
        if sending.is_open and sending.state != BatchState.STAGED:
            job = f"job {sending.job_id}" if sending.job_id else "no job yet"
            return (
                f"It is on its way: run {sending.run_id}, batch {sending.batch_id} "
                f"({sending.state_in_words}, {job}); its outcome isn't known yet."
            )
    if e.staged:
        return f"Run {e.staged[-1].run_id} has read it and is about to send it."
    return None


def _next_run(e: Explanation) -> str:
    known = e.known
    if known is None:
        return "The next run sends it for the first time."
    if known.state == "pending":
        return f"The next run sends it again, because {words.reason(known.reason)}."
    if known.state == "excluded":
        return "The next run sends it: it was not to be sent, and now it is."
    if known.state == "rejected":
        return "The next run sends it: it has changed since it was rejected."
    if not known.own:
        return (
            "The next run sends it, because its address has changed; once SendGrid has confirmed "
            "the new one, the former contact is treated as `on_address_change` says."
        )
    return (
        f"The next run that notices the change sends it, a full run at the latest: its content "
        f"differs from what SendGrid confirmed on {moment(known.updated_at)}."
    )
