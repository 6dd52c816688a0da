"""Why a run is of its kind, and why another one ended it: the codes, and what people read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from contact_sync.base import moments


class KindReason(StrEnum):
    """Why a run is of the kind that it is."""

    ASKED_FOR = "asked_for"
    FIRST_LOAD = "first_load"
    MAPPING_CHANGED = "mapping_changed"
    SERVER_REPLACED = "server_replaced"
    SERVER_RESTARTED = "server_restarted"
    TABLES_REPLACED = "tables_replaced"  # detail: their names
    ROWS_DELETED = "rows_deleted"
    STATEMENTS_CHANGED = "statements_changed"
    DETECTION_SWITCHED = "detection_switched"
    XMIN_TOO_OLD = "xmin_too_old"
    FULL_RUN_DUE = "full_run_due"  # detail: after how many hours
    CHANGES_SINCE = "changes_since"  # detail: since when, ISO 8601
    TRIAL = "trial"  # detail: of how many clients
    STATE_WENT_BACK = "state_went_back"  # these four: the ledger isn't believed
    STATE_RESTORED = "state_restored"
    STATE_MOVED = "state_moved"
    STATE_RESTARTED = "state_restarted"


class EndedWhy(StrEnum):
    """Column `run.ended_why`."""

    LEASE_RUN_OUT = "lease_run_out"
    TAKEN_OVER = "taken_over"
    TRIED_AGAIN = "tried_again"
    TOO_OLD = "too_old"
    PROCESS_DIED = "process_died"


class NotStarted(StrEnum):
    """Why a DAG run has started no run; Airflow keeps it as a result of the task start_run."""

    DISABLED = "disabled"
    SHADOW = "shadow"
    BUSY = "busy"


NOT_STARTED_KEY = "not_started"
"""The key of that result."""
NOT_STARTED: Mapping[str, str] = {
    NotStarted.DISABLED: "the sync was disabled (`enabled: false` in its definition)",
    NotStarted.SHADOW: "the sync is a shadow, which is verified only (`shadow: true` in its "
    "definition)",
    NotStarted.BUSY: "another run was at work on this sync, and a run that its schedule starts "
    "doesn't wait; the next one begins as usual",
}
"""What people read: what follows "because"."""

ENDED: Mapping[str, str] = {
    EndedWhy.LEASE_RUN_OUT: "it gave no sign of life until its lease had run out",
    EndedWhy.TAKEN_OVER: "a person let the newer run take its lease over",
    EndedWhy.TRIED_AGAIN: "its first task was tried again, and began anew",
    EndedWhy.PROCESS_DIED: "its process, on this host, is dead",
    EndedWhy.TOO_OLD: "it was a dry run without a result for longer than any run may take",
}
"""What people read: what follows "because"."""

KINDS: Mapping[str, str] = {
    KindReason.ASKED_FOR: "asked for",
    KindReason.FIRST_LOAD: "first load",
    KindReason.MAPPING_CHANGED: "the mapping, the list or a field id changed",
    KindReason.SERVER_REPLACED: "B2CORE's server was replaced, restored or failed over",
    KindReason.SERVER_RESTARTED:
        "B2CORE's server was started again, perhaps on an older copy of its disk, has recovered "
        "from a crash, or its statistics were reset",
    KindReason.TABLES_REPLACED:
        "emptied, rewritten, replaced or altered since the last run: {detail}",
    KindReason.ROWS_DELETED: "rows were deleted, and nothing tells whose they were",
    KindReason.STATEMENTS_CHANGED: "the statements that read B2CORE changed",
    KindReason.DETECTION_SWITCHED: "the change detection was switched",
    KindReason.XMIN_TOO_OLD: "the last run is too long ago for xmin",
    KindReason.FULL_RUN_DUE: "the last full run is older than {detail} hours",
    KindReason.CHANGES_SINCE: "changes since {detail}",
    KindReason.TRIAL:
        "trial of chosen clients ({detail}): nobody else is looked at or removed, and the next run "
        "reads all changes",
    KindReason.STATE_WENT_BACK: "an earlier run left a mark that the state database doesn't know: "
        "it went back to an earlier state, or another state database fills the same account, too",
    KindReason.STATE_RESTORED: "the state database was restored from a backup, or is a copy",
    KindReason.STATE_MOVED: "the state database is on another server or timeline than before, and "
        "no mark of the last run proves that nothing is lost",
    KindReason.STATE_RESTARTED: "the state database's server was started anew, and no mark of the "
        "last run proves that it isn't an older copy",
}  # fmt: skip


def kind_reason(code: str, detail: str | None = None) -> str:
    """Why a run is of its kind; a time in `detail` as all times are shown."""
    at = moments.parsed(detail) if code == KindReason.CHANGES_SINCE else None
    return KINDS.get(code, code).format(detail=moments.moment(at) if at else detail)
