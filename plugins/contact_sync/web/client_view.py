"""One client as its page shows it: what the template lays out beside the explanation. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contact_sync.base import moments, words
from contact_sync.base.look_up import NextDecision
from contact_sync.reporting.conclusion import conclude
from contact_sync.reporting.explanation import Explanation, Known, Removal, Sending
from contact_sync.web.formats import number
from contact_sync.web.run_line import Tag

TONES = {"confirmed": "good", "rejected": "bad", "pending": "busy"}


@dataclass(frozen=True, slots=True)
class RemovalLine:
    """A noted removal; the moment stands between its two parts."""

    what: str
    noted_at: datetime
    what_became: str


@dataclass(frozen=True, slots=True)
class ClientView:
    """`e` is the explanation as this viewer may see it; the conclusion says it in one sentence."""

    e: Explanation
    conclusion: str
    tone: str
    may_be_sent: bool
    is_known: bool

    @property
    def state_tag(self) -> Tag | None:
        """What the ledger says; None for a client that the sync doesn't know."""
        state = self.e.known.state if self.e.known else ""
        return Tag(state, TONES.get(state, "warn")) if state else None

    @property
    def state(self) -> str:
        """The same with field and reason."""
        return _state(self.e.known) if self.e.known else ""

    @property
    def read_at(self) -> datetime | None:
        """When B2CORE was read."""
        return moments.parsed(self.e.read_at)

    @property
    def changed_at_sendgrid(self) -> datetime | None:
        """When the contact changed last, as SendGrid says."""
        said = self.e.at_sendgrid.updated_at if self.e.at_sendgrid else None
        return moments.parsed(said)  # SendGrid documents no format

    @property
    def counted(self) -> str:
        """SendGrid's counts of the job that the client was sent with last."""
        sent = self.e.known.sent if self.e.known else None
        return _counted(sent) if sent else ""

    @property
    def removals(self) -> list[RemovalLine]:
        """The noted removals."""
        return [_removal(removal, self.e.called(removal.client_id)) for removal in self.e.removals]


def client_view(found: Explanation, *, may_see: bool) -> ClientView:
    """The page of a client; values are hidden unless the viewer `may_see` them."""
    return ClientView(
        e=found if may_see else found.masked(),
        conclusion=conclude(found),
        tone=tone(found),
        may_be_sent=found.decision.may_be_sent,
        is_known=found.is_known,
    )


def tone(found: Explanation) -> str:
    """good: SendGrid has it; bad: it can't be sent; warn: it isn't to be sent; busy: it will be."""
    code = found.decision.code
    if code in (NextDecision.REJECTED, NextDecision.REFUSED):
        return "bad"
    if code is NextDecision.SEND:
        return "busy"
    if code is not NextDecision.UNCHANGED:
        return "warn"
    is_other = any(f.differs or f.stale for f in found.fields)
    return (
        "warn" if is_other or (found.at_sendgrid and found.at_sendgrid.found is False) else "good"
    )


def _state(known: Known) -> str:
    why = words.reason(known.reason, known.detail) if known.reason else ""
    return words.counted(known.state, known.field, why)


def _counted(sent: Sending) -> str:
    if sent.counts is None:
        return ""
    parts = [f"{number(n)} {what}" for what, n in sent.counts.some.items()]
    return f"{', '.join(parts)}, for the whole batch"


def _removal(removal: Removal, client: str) -> RemovalLine:
    address = removal.email or "A former address"
    why = words.REMOVALS[removal.why]
    list_id = f", off list {removal.list_id}" if removal.list_id else ""
    became = words.outcome(removal.outcome, removal.numbers) or "not tried yet"
    return RemovalLine(
        f"{address} of client {client}: {why}{list_id}",
        removal.noted_at,
        "done, or kept as the definition says" if removal.kept else became,
    )
