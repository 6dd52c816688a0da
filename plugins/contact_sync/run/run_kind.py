"""Whether a run is full, incremental or sends everything again, and why."""

from __future__ import annotations

from contact_sync.b2core.replaced import differing
from contact_sync.base.errors import ConfigError, RetryableError
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.run_life import KindReason, kind_reason
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.definition import SyncDefinition
from contact_sync.state.runs import Run, SyncState

XID_AGE_LIMIT = 2**31 - 10_000_000
"""`age(xid)` is a 32-bit distance (PostgreSQL docs); older horizons say nothing."""


def refuse_stale(definition: SyncDefinition, here: SourceSnapshot) -> None:
    """Raise RetryableError when the snapshot is of a standby that is too far behind."""
    behind, limit = here.lag_seconds, definition.source.max_lag_minutes
    if behind > limit * 60:
        raise RetryableError(
            f"The source is stale: the standby is {behind // 60} minutes behind its primary, "
            f"`max_lag_minutes` is {limit}. Nothing was read; the watermark stays. See why it "
            f"doesn't replay, or read the primary"
        )


def decide_kind(
    definition: SyncDefinition,
    asked: RunKind,
    known: SyncState,
    here: SourceSnapshot,
    mapping_version: str,
    *,
    unproven: KindReason | None = None,
) -> tuple[RunKind, KindReason, str | None]:
    """The kind that the run has to be, and why: the code and its detail. `unproven`: why the
    ledger isn't believed."""
    if unproven is not None:
        return RunKind.RESEND, unproven, None
    if asked is not RunKind.INCREMENTAL:
        return asked, KindReason.ASKED_FOR, None
    mark = known.watermark
    if mark is None:
        return RunKind.FULL, KindReason.FIRST_LOAD, None
    age = int(here.next_xid) - int(mark.horizon)
    replaced = differing(mark.tables, here.tables) if mark.tables else []
    reasons = {
        KindReason.MAPPING_CHANGED: known.mapping_version != mapping_version,
        KindReason.SERVER_REPLACED: age < 0 or is_another_server(mark, here),
        KindReason.DETECTION_SWITCHED: mark.detection != here.detection,
        KindReason.STATEMENTS_CHANGED: are_others(mark.statements, here.statements),
        KindReason.XMIN_TOO_OLD: age > XID_AGE_LIMIT,
        KindReason.TABLES_REPLACED: bool(replaced),
        KindReason.SERVER_RESTARTED: are_others(mark.started, here.started),
    }
    for reason, applies in reasons.items():
        if applies:
            detail = ", ".join(replaced) if reason is KindReason.TABLES_REPLACED else None
            return RunKind.FULL, reason, detail
    hours = definition.full_every_hours
    if known.full_age_hours is None or known.full_age_hours >= hours:
        return RunKind.FULL, KindReason.FULL_RUN_DUE, str(hours)
    return RunKind.INCREMENTAL, KindReason.CHANGES_SINCE, mark.read_at


def doubt(run: Run) -> KindReason | None:
    """Why the run has to believe nothing, unless a person asked for all that and more."""
    asked_for = run.kind is RunKind.RESEND and run.kind_reason != run.unproven
    return None if asked_for else run.unproven


def is_another_server(mark: SourceSnapshot, here: SourceSnapshot) -> bool:
    """Whether it isn't the server, its history or the database that the last run read."""
    return (
        (mark.system_identifier, mark.timeline) != (here.system_identifier, here.timeline)
        or are_others(mark.database, here.database)
    )  # fmt: skip


def are_others(then: str, now: str) -> bool:
    """Whether both are known and differ: servers may refuse to tell."""
    return bool(then and now and then != now)


def trial_kind(run: Run) -> RunKind:
    """The kind of a trial: what a person asked for, but that of everyone. Raises ConfigError while
    the ledger isn't believed: only an ordinary run proves it."""
    if run.unproven is not None:
        raise ConfigError(
            f"A trial needs a ledger that is believed: {kind_reason(run.unproven)}. Run the sync "
            f"for all clients first. Nothing was sent"
        )
    return RunKind.RESEND if run.kind is RunKind.RESEND else RunKind.INCREMENTAL
