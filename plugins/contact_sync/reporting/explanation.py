"""Why one contact looks as it does: what is known on both sides. Pure.

`lookup.explain` gathers it. It holds personal data: it is shown to whoever asked and kept nowhere.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contact_sync.base import words
from contact_sync.base.batch_life import OPEN
from contact_sync.base.client_names import called
from contact_sync.base.json_columns import JobCounts
from contact_sync.base.look_up import NextDecision
from contact_sync.base.masking import masked


@dataclass(frozen=True, slots=True)
class Choice:
    """A phone or address row in B2CORE. `place`: 1 = the one that is used, None = never used."""

    part: str
    place: int | None
    row_id: int
    label: str
    updated_at: datetime | None
    reason: str
    values: dict[str, str] = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One SendGrid field: what B2CORE has and what is sent; "" = no value.

    `problem`: what happened to a value that doesn't fit, `since`: when a run saw that first, None =
    none has, or it isn't kept because the client isn't sent. `at_sendgrid`: what SendGrid shows,
    None = not asked. `differs`: that isn't what would be sent. `stale`: SendGrid can't clear what
    it has.
    """

    name: str
    type: str
    column: str
    source: str = dataclasses.field(repr=False)
    value: str = dataclasses.field(repr=False)
    problem: str = ""
    since: datetime | None = None
    stale: bool = False
    at_sendgrid: str | None = dataclasses.field(default=None, repr=False)
    differs: bool = False


@dataclass(frozen=True, slots=True)
class ClientDecision:
    """What the next run would do with the client as it is now.

    `field`, `reason` and `detail` of what a client is rejected for; of an excluded one, `reason` is
    what B2CORE says. `by`: the client that bars it, or represents its address.
    """

    code: NextDecision
    field: str = ""
    reason: str = ""
    by: int | None = None
    detail: str = ""

    @property
    def may_be_sent(self) -> bool:
        """Whether nothing in B2CORE stands against it."""
        return self.code in (NextDecision.SEND, NextDecision.UNCHANGED, NextDecision.REFUSED)


@dataclass(frozen=True, slots=True)
class Sending:
    """The client in a batch: a request or file of a run, and what SendGrid said to it."""

    run_id: int
    batch_id: int | None
    lane: str | None
    state: str | None
    job_id: str | None
    job_status: str | None
    counts: JobCounts | None
    outcome: str | None
    numbers: dict[str, int] | None
    submitted_at: datetime | None
    settled_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it is under way."""
        return self.state in OPEN

    @property
    def lane_in_words(self) -> str:
        """How its batch travels; "" while it is in none."""
        return words.LANES[self.lane] if self.lane else ""

    @property
    def state_in_words(self) -> str:
        """Where its batch is; "" while it is in none."""
        return words.BATCH_STATES[self.state] if self.state else ""


@dataclass(frozen=True, slots=True)
class Known:
    """The client's row in the ledger. `own`: the contact has the address that B2CORE has now.
    `contact`: the address of its contact, "" = it has none."""

    state: str
    field: str
    reason: str
    detail: str
    tries: int
    rejected_since: datetime | None
    absent: int
    updated_at: datetime
    contact: str = dataclasses.field(repr=False)
    own: bool
    sent: Sending | None


@dataclass(frozen=True, slots=True)
class Removal:
    """A contact noted for removal. `email` is None where the address is forgotten: done, and only
    whoever takes the address clears it."""

    why: str
    email: str | None = dataclasses.field(repr=False)
    client_id: int
    list_id: str
    noted_at: datetime
    kept: bool
    outcome: str | None
    numbers: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class AtSendGrid:
    """What SendGrid's search shows now; `found` None = it can't search this address."""

    found: bool | None
    on_list: bool | None = None
    updated_at: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole answer. `source`: the client's row of clients.sql, column → value; None = gone.

    `sharing`: other clients with the address in B2CORE, by id; the value is their exclusion. They
    are looked for only where they decide what becomes of the client. `keys`: what B2CORE calls the
    client and those that it is shown with, by id, where the source gives keys.
    """

    sync: str
    client_id: int
    read_at: str
    source: dict[str, str] | None = dataclasses.field(repr=False)
    email: str = dataclasses.field(repr=False)
    decision: ClientDecision
    fields: list[FieldValue]
    choices: list[Choice]
    sharing: dict[int, str | None]
    known: Known | None
    staged: list[Sending]
    removals: list[Removal]
    at_sendgrid: AtSendGrid | None = None
    notes: tuple[str, ...] = ()
    keys: dict[int, str] = dataclasses.field(default_factory=dict)

    def called(self, client_id: int | None) -> str:
        """How people read a client."""
        return "" if client_id is None else called(client_id, self.keys.get(client_id))

    @property
    def is_known(self) -> bool:
        """Whether B2CORE or this sync has such a client."""
        return not (self.source is None and self.known is None and not self.removals)

    def masked(self) -> Explanation:
        """The same for somebody who may not see personal data: every value is hidden."""
        return replace(
            self,
            source=None if self.source is None else {k: mask(v) for k, v in self.source.items()},
            email=masked(self.email),
            fields=[
                replace(
                    f, source=mask(f.source), value=mask(f.value),
                    at_sendgrid=None if f.at_sendgrid is None else mask(f.at_sendgrid),
                )
                for f in self.fields
            ],
            choices=[
                replace(c, values={k: mask(v) for k, v in c.values.items()}) for c in self.choices
            ],
            known=self.known and replace(self.known, contact=masked(self.known.contact)),
            removals=[replace(r, email=r.email and masked(r.email)) for r in self.removals],
        )  # fmt: skip


def mask(value: str) -> str:
    """A value without what it says; "" stays, so that it shows what is empty."""
    return "***" if value else ""


def as_text(value: Any) -> str:
    """A column's value for people; None = ""."""
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
