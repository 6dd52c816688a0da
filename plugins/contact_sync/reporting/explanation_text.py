"""Write an explanation for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from contact_sync.base import words
from contact_sync.base.moments import moment
from contact_sync.base.numbers import count
from contact_sync.reporting.conclusion import conclude
from contact_sync.reporting.explanation import (
    AtSendGrid,
    Choice,
    Explanation,
    FieldValue,
    Known,
    Removal,
    Sending,
)


def text(found: Explanation) -> str:
    """The whole explanation, the conclusion first and last."""
    parts = [
        f"Client {found.called(found.client_id)} of sync {found.sync}, as of {_read_at(found)}",
        conclude(found),
        *(f"Note: {note}" for note in found.notes),
        *_part("SendGrid's fields, from B2CORE", map(_field, found.fields)),
        *_part("Phones and addresses in B2CORE", map(_choice, found.choices)),
        *_part("The same address", _sharing(found)),
        *_part("What the sync knows", _known(found.known) if found.known else []),
        *_part("Waits to be sent", map(sending_line, found.staged)),
        *_part(
            "Contacts to be removed",
            (removal_line(r, found.called(r.client_id)) for r in found.removals),
        ),
        *_part(
            "What SendGrid shows now",
            [at_sendgrid_line(found.at_sendgrid)] if found.at_sendgrid else [],
        ),
    ]
    return "\n".join(parts)


def _read_at(found: Explanation) -> str:
    return moment(datetime.fromisoformat(found.read_at))


def _part(title: str, lines: Iterable[str]) -> list[str]:
    found = [f"  {line}" for line in lines]
    return ["", title, *found] if found else []


def _field(field: FieldValue) -> str:
    said = f"{field.name}: {field.value or '(none)'}"
    if field.source != field.value:
        said += f"  <- {field.column}: {field.source or '(none)'}"
    if field.problem:
        since = f", since {moment(field.since)}" if field.since else ""
        said += f"  [{field.problem}{since}]"
    if field.stale:
        said += "  [SendGrid has an older value and can't clear it]"
    if field.differs:
        said += f"  [SendGrid shows: {field.at_sendgrid or '(none)'}]"
    return said


def _choice(choice: Choice) -> str:
    place = "used " if choice.place == 1 else "     "
    values = ", ".join(choice.values.values()) or "(empty)"
    when = moment(choice.updated_at)
    return (
        f"{place} {choice.part} {choice.row_id} ({choice.label}, {when}): {values}; {choice.reason}"
    )


def _sharing(found: Explanation) -> list[str]:
    return [
        f"client {found.called(client)}{f', excluded: {why}' if why else ''}"
        for client, why in sorted(found.sharing.items())
    ]


def _known(known: Known) -> list[str]:
    why = words.counted(known.field, known.reason and words.reason(known.reason, known.detail))
    lines = [f"{known.state}{f' ({why})' if why else ''} since {moment(known.updated_at)}"]
    if known.rejected_since:
        lines.append(
            f"rejected first {moment(known.rejected_since)}, {count(known.tries, 'try', 'tries')}"
        )
    if known.absent:
        lines.append(f"not in B2CORE for {count(known.absent, 'run')} in a row")
    lines.append(f"its contact: {known.contact or 'none'}")
    return [*lines, f"sent last: {sending_line(known.sent)}"] if known.sent else lines


def sending_line(sent: Sending) -> str:
    """A batch in one line."""
    if sent.batch_id is None:
        return f"run {sent.run_id:,}, not in a batch yet"
    counts = (
        ", ".join(f"{n:,} {what}" for what, n in sent.counts.some.items()) if sent.counts else ""
    )
    job = f"job {sent.job_id} {sent.job_status or ''}".rstrip() if sent.job_id else "no job"
    parts = [
        f"run {sent.run_id:,}, batch {sent.batch_id:,} "
        f"({sent.lane_in_words}, {sent.state_in_words}), {job}",
        f"submitted {moment(sent.submitted_at)}",
        f"settled {moment(sent.settled_at)}",
        counts,
        words.outcome(sent.outcome, sent.numbers),
    ]
    return "; ".join(filter(None, parts))


def removal_line(removal: Removal, client: str) -> str:
    """A noted removal in one line; `client`: how people read whose it was."""
    tried = words.outcome(removal.outcome, removal.numbers) or "not tried yet"
    state = "done or kept" if removal.kept else tried
    where = f", off list {removal.list_id}" if removal.list_id else ""
    why = words.REMOVALS[removal.why]
    return (
        f"{removal.email or 'a former address'} of client {client}: "
        f"{why}{where}; noted {moment(removal.noted_at)}; {state}"
    )


def at_sendgrid_line(shown: AtSendGrid) -> str:
    """What SendGrid's search says."""
    if shown.found is None:
        return "It doesn't search this address, so what it has isn't known."
    if not shown.found:
        return "It doesn't find the contact; its search may be half a minute behind."
    listed = {True: ", on the sync's list", False: ", NOT on the sync's list", None: ""}
    return f"The contact{listed[shown.on_list]}, updated {shown.updated_at or '-'}"
