"""How much of B2CORE a run has to read, by what PostgreSQL has counted since the last one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from contact_sync.b2core.counts import SCAN
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.source_look import Look, LookWhy, SourceCounts
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.source import ChangeDetection
from contact_sync.state.affected import RunBefore

WHOLE_AFTER_MINUTES = 60
"""A session hands its counts in when it is idle: one that goes from transaction to transaction may
be as late as they are long. That long at most, then everything is read."""

DETAILS = {
    LookWhy.LONG_AGO: str(WHOLE_AFTER_MINUTES),
    LookWhy.NO_PRIVILEGE: "pg_postmaster_start_time(), pg_stat_get_bgwriter_stat_reset_time()",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the run has to be, and where its snapshot stands; `counts` were read before it."""

    kind: RunKind
    is_trial: bool
    retry_rejected: bool
    here: SourceSnapshot
    counts: SourceCounts | None


@dataclass(frozen=True, slots=True)
class Decided:
    """How much is read, and why; `read` = the parts whose changed rows are, each since a horizon
    (xid8), unless everything is."""

    look: Look
    why: LookWhy
    detail: str | None = None
    read: dict[str, int] | None = None


def decide_look(asked: Asked, mark: SourceSnapshot | None, before: RunBefore | None) -> Decided:
    """How much has to be read: less than everything only if nothing speaks against it."""
    now, then = asked.counts, mark.counts if mark else None
    if why := _against(asked, mark, before):
        return Decided(Look.WHOLE, why)
    if now is None or then is None:
        return Decided(Look.WHOLE, LookWhy.NOTHING_KEPT)
    if unusable := now.unusable or then.unusable:
        return Decided(Look.WHOLE, LookWhy(unusable[0]), unusable[1])
    reasons = {
        LookWhy.NOTHING_KEPT: then.parts != now.parts,
        LookWhy.NO_PRIVILEGE: not asked.here.started,
        LookWhy.RESET: then.reset_at != now.reset_at,
        LookWhy.LONG_AGO: _minutes(then.whole_at, asked.here.read_at) > WHOLE_AFTER_MINUTES,
    }
    for reason, applies in reasons.items():
        if applies:
            return Decided(Look.WHOLE, reason, DETAILS.get(reason))
    return _by_counts(then, now)


def _against(asked: Asked, mark: SourceSnapshot | None, before: RunBefore | None) -> LookWhy | None:
    """What needs everything to be read, whatever was counted."""
    reasons = {
        LookWhy.EVERYBODY: asked.kind is not RunKind.INCREMENTAL or asked.is_trial,
        LookWhy.REJECTED_AGAIN: asked.retry_rejected,
        LookWhy.DETECTION: asked.here.detection != ChangeDetection.XMIN,
        LookWhy.RUN_BEFORE: before is None or not before.is_fit,
        LookWhy.VERIFIED: before is not None and before.is_verified,
        LookWhy.LIFTED: before is not None and before.is_lifted,
        LookWhy.HELD: mark is not None and mark.held > 0,
    }
    return next((why for why, applies in reasons.items() if applies), None)


def _by_counts(then: SourceCounts, now: SourceCounts) -> Decided:
    moved = {oid for oid, table in now.tables.items() if table.moved != then.tables[oid].moved}
    if deleted := [
        now.tables[oid].name
        for oid in now.parts[SCAN]
        if now.tables[oid].deleted != then.tables[oid].deleted
        or now.tables[oid].file != then.tables[oid].file
    ]:
        return Decided(Look.WHOLE, LookWhy.DELETED, ", ".join(sorted(deleted)))
    if not then.covered and (told := moved & set(now.parts[SCAN])):
        names = sorted(now.tables[oid].name for oid in told)
        return Decided(Look.WHOLE, LookWhy.NOT_COVERED, ", ".join(names))
    read = {
        part: min(then.tables[oid].horizon for oid in oids)
        for part, oids in now.parts.items()
        if part != SCAN and moved & set(oids)
    }
    return Decided(Look.CHANGES if moved else Look.NOTHING, LookWhy.COUNTS, read=read)


def counts_to_keep(
    decided: Decided, judged: SourceCounts | None, mark: SourceSnapshot | None, here: SourceSnapshot
) -> SourceCounts | None:
    """What the next run compares with. A table's horizon moves only if all that is read of it was
    read now."""
    if judged is None or judged.unusable:
        return judged
    horizon = int(here.horizon)
    if decided.read is None or mark is None or mark.counts is None:
        tables = {oid: replace(table, horizon=horizon) for oid, table in judged.tables.items()}
        return replace(judged, tables=tables, whole_at=here.read_at)
    then = mark.counts
    read = {oid for part in decided.read for oid in judged.parts[part]}
    left = {part: oids for part, oids in judged.parts.items() if part not in (SCAN, *decided.read)}
    passed_over = {oid for oids in left.values() for oid in oids} | set(judged.parts[SCAN]) - read
    tables = {
        oid: replace(table, horizon=then.tables[oid].horizon if oid in passed_over else horizon)
        for oid, table in judged.tables.items()
    }
    return replace(judged, tables=tables, whole_at=then.whole_at, covered=then.covered)


def _minutes(then: str, now: str) -> float:
    """Between two moments by B2CORE's clock; one that went back counts as far."""
    passed = datetime.fromisoformat(now) - datetime.fromisoformat(then)
    return abs(passed.total_seconds()) / 60
