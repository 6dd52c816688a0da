"""What has become of the contacts that a run sends: one sum, for whoever tells of it. Pure.

to send = confirmed + rejected by SendGrid + pending + excluded meanwhile + with SendGrid + not sent
yet; the last two are 0 once a run and its jobs are over. Batches that are split or sent again don't
count twice: what is sent is what was planned, and what became of it is what each part has ended in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from contact_sync.base.json_columns import known_fields
from contact_sync.base.vocabulary import REMOVALS, UPSERTS, BatchState, Outcome

REJECTED = (Outcome.REJECTED_ALONE, Outcome.ALL_REFUSED)
"""Outcomes of batches of which SendGrid took nothing, and no other batch sends it again."""
UNSENT = (BatchState.STAGED, BatchState.CREATED)
TAKEN_AWAY = (Outcome.REMOVED, Outcome.UNLISTED)
TERMS = {
    "confirmed": "confirmed", "rejected": "rejected by SendGrid", "pending": "pending",
    "excluded": "excluded or changed meanwhile", "under_way": "with SendGrid, not known yet",
    "waiting": "not sent yet",
}  # fmt: skip
"""The terms of the sum in its order, and what people read."""
ALWAYS = ("confirmed", "rejected", "pending")
"""Terms that are told even if they are 0."""


@dataclass(frozen=True, slots=True)
class JobSum:
    """The batches of a run, `jobs`, in one lane, state, status and outcome, added up.

    `planned`: they aren't parts of another batch. `rows`: contacts. `refused` and `excluded`: those
    that left a batch before SendGrid took it, because SendGrid refused them by name, and because
    B2CORE has excluded, changed or lost them meanwhile. `confirmed`, `rejected`, `removed`: as the
    outcomes say. `created`, `updated`, `errored`: as SendGrid counts.
    """

    lane: str
    state: str
    status: str | None
    outcome: str | None
    planned: bool
    jobs: int
    rows: int
    refused: int = 0
    excluded: int = 0
    confirmed: int = 0
    rejected: int = 0
    removed: int = 0
    created: int = 0
    updated: int = 0
    errored: int = 0

    @property
    def rest(self) -> int:
        """Contacts that didn't leave it before it was sent."""
        return self.rows - self.refused - self.excluded


@dataclass(frozen=True, slots=True)
class Sending:
    """Contacts of a run. The terms are those of TERMS; `pending`: the next run sends them;
    `under_way_jobs`: so many jobs have those that are under way. `removed` contacts, or taken off
    the list, are no term. `created`, `updated` and `errored` are SendGrid's own counts of all jobs:
    a contact that is sent twice is in them twice, and one that changes nothing in none."""

    to_send: int = 0
    confirmed: int = 0
    rejected: int = 0
    pending: int = 0
    excluded: int = 0
    under_way: int = 0
    waiting: int = 0
    under_way_jobs: int = 0
    removed: int = 0
    created: int = 0
    updated: int = 0
    errored: int = 0

    @classmethod
    def of(cls, stored: Mapping[str, int]) -> Sending:
        """What `to_json` wrote, in this version or an earlier one."""
        return cls(**known_fields(cls, stored))

    def to_json(self) -> dict[str, int]:
        """By the fields' names."""
        return asdict(self)

    @property
    def terms(self) -> list[tuple[str, int]]:
        """The sum's terms in words: those that are always told, and the others that aren't 0."""
        found = [(name, getattr(self, name)) for name in TERMS]
        return [(TERMS[name], n) for name, n in found if n or name in ALWAYS]

    @property
    def in_words(self) -> str:
        """The sum: "20 to send = 17 confirmed + 3 rejected by SendGrid + 0 pending"."""
        return f"{self.to_send:,} to send = " + " + ".join(f"{n:,} {w}" for w, n in self.terms)

    @property
    def at_sendgrid(self) -> str:
        """What SendGrid counts itself; "" = nothing yet."""
        if not (self.created or self.updated or self.errored):
            return ""
        return (f"{self.created:,} created, {self.updated:,} updated, "
                f"{self.errored:,} errored")  # fmt: skip


def sending(sums: Iterable[JobSum], to_send: int | None) -> Sending:
    """Add up a run's batches. `to_send`: so many contacts the plan has; those of them that no batch
    was planned for were held back by a look at SendGrid. None = there is no plan."""
    every = list(sums)
    removals = [one for one in every if one.lane in REMOVALS and one.outcome in TAKEN_AWAY]
    upserts = [one for one in every if one.lane in UPSERTS]
    settled = [one for one in upserts if one.state == BatchState.SETTLED]
    open_ones = [one for one in upserts if one.state not in (BatchState.SETTLED, BatchState.VOID)]
    with_sendgrid = [one for one in open_ones if one.state not in UNSENT]
    planned = sum(one.rows for one in upserts if one.planned)
    total = planned if to_send is None else to_send
    confirmed = sum(one.confirmed for one in settled)
    rejected = (
        sum(one.refused for one in upserts)
        + sum(one.rejected for one in settled)
        + sum(one.rest for one in settled if one.outcome in REJECTED)
    )
    excluded = total - planned + sum(one.excluded for one in upserts)
    under_way = sum(one.rest for one in with_sendgrid)
    waiting = sum(one.rest for one in open_ones) - under_way
    return Sending(
        to_send=total,
        confirmed=confirmed,
        rejected=rejected,
        pending=total - confirmed - rejected - excluded - under_way - waiting,
        excluded=excluded,
        under_way=under_way,
        waiting=waiting,
        under_way_jobs=sum(one.jobs for one in with_sendgrid),
        removed=sum(one.removed for one in removals),
        created=sum(one.created for one in upserts),
        updated=sum(one.updated for one in upserts),
        errored=sum(one.errored for one in upserts),
    )
