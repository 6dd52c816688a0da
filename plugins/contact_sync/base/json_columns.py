"""What a run keeps as JSON in the state database: what it read, plans, waits for, and ends with.

Each kind has one reader and one writer. The reader takes what an earlier version wrote: where a
key is missing the field's default holds, and a key that no field has is left out. Where a run's
column is still NULL, there is no object at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from typing import Any, Self

from contact_sync.base.degraded import Degraded
from contact_sync.base.source_look import SourceCounts
from contact_sync.base.vocabulary import Answer, Job, LimitName


def known_fields(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON has for a dataclass's fields; lists as tuples, as frozen classes keep them."""
    names = _names(kind)  # type: ignore[arg-type]  # a class is hashable
    found = {name: value for name, value in data.items() if name in names}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in found.items()}


@cache
def _names(kind: type[Any]) -> frozenset[str]:
    return frozenset(entry.name for entry in fields(kind))


class JsonColumn:
    """Reader and writer of the dataclasses below."""

    __slots__ = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The object that `to_json` wrote, in this version or an earlier one."""
        return cls(**known_fields(cls, data))

    @classmethod
    def of_column(cls, data: Mapping[str, Any] | None) -> Self | None:
        """The same for a column that may be NULL."""
        return None if data is None else cls.from_json(data)

    def to_json(self) -> dict[str, Any]:
        """What is stored, by the fields' names."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True, slots=True)
class SourceSnapshot(JsonColumn):
    """Columns `run.snapshot` and, of the last finished run, `sync.watermark`: the moment at which
    B2CORE was read, and what select_clients found then.

    `read_at` ISO 8601 (default: so long ago that everything may have changed since); `horizon` and
    `next_xid` are xid8 as text, see b2core.reader; `system_identifier` and `timeline` tell one
    server from another (defaults: of none, so that the next run is a full one); `database` its oid,
    `started` since when the server runs, ISO 8601, and `tables` by name with their marks, see
    b2core.replaced, `statements` a hash of the texts that read it (defaults: unknown, which is no
    evidence of a change); `lag_seconds` of a
    standby; `detection` = the definition's `change_detection`. Numbers of clients: `selected` all
    in B2CORE, `chosen` looked at, `gone` from the ledger's, `held` = gone, not believed yet,
    `retiring` = contacts to be removed because they are gone; `warned` by kind: whose address
    SendGrid suppresses, and who are sent all the same. `look`: how much of B2CORE was read,
    `look_why` and `look_detail` why (base.source_look; "" = by an earlier version), and `counts`
    for the next run to compare with. Where tables were passed over, `horizon` is the oldest one
    of all tables.
    """

    read_at: str = "1970-01-01T00:00:00.000000Z"
    horizon: str = "0"
    next_xid: str = "0"
    system_identifier: str = ""
    timeline: int = 0
    database: str = ""
    started: str = ""
    tables: dict[str, str] = field(default_factory=dict)
    statements: str = ""
    lag_seconds: int = 0
    detection: str = ""
    selected: int = 0
    chosen: int = 0
    gone: int = 0
    held: int = 0
    retiring: int = 0
    warned: dict[str, int] = field(default_factory=dict)
    look: str = ""
    look_why: str = ""
    look_detail: str | None = None
    counts: SourceCounts | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """With the counts as an object."""
        found = cls(**known_fields(cls, data))
        counts = data.get("counts")
        return found if counts is None else replace(found, counts=SourceCounts.from_json(counts))


@dataclass(frozen=True, slots=True)
class Staged(JsonColumn):
    """Column `slice.counts`: how many clients of a slice met which fate, and why.

    `counts` by fate (base.words.COUNTS has the meanings); the others by what
    `words.counted` makes of field, code and detail: why clients are rejected or excluded, values
    that were dropped or cut, and fields whose old value SendGrid can't clear. `emptied` by field:
    clients whose contact has a text there that B2CORE, or the rules for values, don't have now.
    `examples`: ids of the first clients that are rejected, by the keys of `rejections`.
    """

    counts: dict[str, int] = field(default_factory=dict)
    rejections: dict[str, int] = field(default_factory=dict)
    exclusions: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    stale: dict[str, int] = field(default_factory=dict)
    emptied: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AboveLimit(JsonColumn):
    """What of a plan is above a limit of the definition: `n`, where it allows `allowed`. Of a field
    that is emptied: SendGrid's name of it, and how many contacts have it filled."""

    limit: LimitName
    n: int
    allowed: int
    field: str | None = None
    having: int | None = None


@dataclass(frozen=True, slots=True)
class Plan(Staged):
    """Column `run.plan`: the sum of the slices, before anything is sent.

    `held_absences`: absent clients that aren't believed to be gone. `warned` as in SourceSnapshot.
    `above_limits`: of a dry run, what a real one would ask a person for. `compared`: changed
    clients whose contact was looked up, and `changed_fields` by SendGrid's name: in how many of
    them a field changes.
    """

    held_absences: int = 0
    warned: dict[str, int] = field(default_factory=dict)
    above_limits: tuple[AboveLimit, ...] = ()
    compared: int = 0
    changed_fields: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """With objects of its own in it."""
        above = tuple(map(AboveLimit.from_json, data.get("above_limits", ())))
        return cls(**known_fields(cls, {**data, "above_limits": above}))


@dataclass(frozen=True, slots=True)
class Approval(JsonColumn):
    """Column `run.approval`: what a plan needs a person for, and the answer.

    `why` is empty when it was approved beforehand; `decision` None = nobody has answered yet, then
    `by` is None, too. `by` is who answered, or of one that has expired "nobody within 24 hours".
    """

    why: tuple[AboveLimit, ...] = ()
    decision: Answer | None = None
    by: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """With objects of its own in it."""
        why = tuple(map(AboveLimit.from_json, data.get("why", ())))
        return cls(**known_fields(cls, {**data, "why": why}))

    @property
    def is_awaited(self) -> bool:
        """Whether the run waits for a person."""
        return bool(self.why) and self.decision is None

    def to_json(self) -> dict[str, Any]:
        """Without what isn't there: reading a run's clients again forgets an approval that has a
        `why`, and keeps one that was given beforehand."""
        why = {"why": [above.to_json() for above in self.why]} if self.why else {}
        by = {} if self.by is None else {"by": self.by}
        return why | {"decision": self.decision} | by


@dataclass(frozen=True, slots=True)
class Belongings(JsonColumn):
    """Column `move.belongings`: what a client's new contact is given, and loses, beside what syncs
    fill.

    `values` by field name, as SendGrid shows them; `clears`: names of Text fields, and `leaves`:
    ids of lists, of the client that had the address before. `stays`: what nothing moves or empties.
    """

    values: dict[str, Any] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be done."""
        return not (self.values or self.lists or self.clears or self.leaves)


@dataclass(frozen=True, slots=True)
class JobCounts(JsonColumn):
    """Column `batch.counts`: SendGrid's counts of an import job, contacts each."""

    requested: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    errored: int = 0

    @classmethod
    def of(cls, job: Job) -> Self:
        """What a job says of itself, without its URL."""
        return cls(*(getattr(job, entry.name) for entry in fields(cls)))

    @property
    def some(self) -> dict[str, int]:
        """Those that aren't 0, by their names."""
        return {name: n for name, n in self.to_json().items() if n}


@dataclass(frozen=True, slots=True)
class JobReport(JsonColumn):
    """Of `run.result`, and a part of `status --json`: a batch and its job at SendGrid.

    `rows` are contacts, `status` is SendGrid's last word. `outcome` with its `numbers`: what became
    of the batch, None = it is under way. `seconds` from the moment when it was submitted to its
    end; None where SendGrid never had it.
    """

    batch_id: int
    lane: str
    rows: int
    state: str
    job_id: str | None = None
    status: str | None = None
    outcome: str | None = None
    numbers: dict[str, int] | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Result(JsonColumn):
    """Column `run.result`: what became of a run; empty for a dry run, and for one that failed.

    `books`: clients by state; `refused`: by SendGrid, as `words.counted` names it; `jobs`: one for
    each batch; `degraded`: what is not as it should be, and how many.
    `dropped_now` and `dropped_new`, by `words.counted`: values that are left out, cut or rounded as
    of this run, whomever it read, and how many of them are new since the last run that succeeded;
    None = not counted. Of a dry run, `dropped_now` is how it stood. `dropped`:
    values that SendGrid refused in this run and that were left out, by the same. `restrained_by`:
    syncs without a definition, and how many contacts stay because they have them. `sending`: what
    became of the contacts that were sent (reporting.sending). `degraded_new`: how many of
    `degraded` are more than after the run before, or never rest; None = not compared, all counts.
    """

    books: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    jobs: tuple[JobReport, ...] = ()
    degraded: dict[Degraded, int] = field(default_factory=dict)
    dropped_now: dict[str, int] | None = None
    dropped_new: dict[str, int] | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    restrained_by: dict[str, int] = field(default_factory=dict)
    sending: dict[str, int] = field(default_factory=dict)
    degraded_new: dict[Degraded, int] | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """With objects of its own in it."""
        jobs = tuple(map(JobReport.from_json, data.get("jobs", ())))
        return cls(**known_fields(cls, {**data, "jobs": jobs}))
