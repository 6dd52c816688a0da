"""What the watch of a sync with `schedule: changes` does, and what people read of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contact_sync.base.source_look import LOOK_REASONS


class WatchState(StrEnum):
    """By what the watch learns that something has changed in B2CORE."""

    COUNTS = "counts"  # by PostgreSQL's counts of rows written
    NOTIFY = "notify"  # by NOTIFY only: counts can't be used
    NOTHING = "nothing"  # runs come by the clock only
    FAILED = "failed"  # one of the databases can't be asked; detail: the error


WATCH_STATES: Mapping[str, str] = {
    WatchState.COUNTS: "PostgreSQL's counts of rows written",
    WatchState.NOTIFY: "NOTIFY only",
    WatchState.NOTHING: "nothing: runs come by the clock only",
    WatchState.FAILED: "nothing for now, and it tries again",
}
"""What people read."""


def learns_by(state: str, why: str | None, detail: str | None) -> str:
    """By what the watch learns of changes, and why by no more, in one clause."""
    reason = LOOK_REASONS.get(why, why).format(detail=detail) if why else detail
    said = WATCH_STATES.get(state, state)
    return f"{said} ({reason})" if reason else said


SILENT_AFTER_SECONDS = 120
"""A watch writes down twice a minute that it looked: after so long nobody looks."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch has written down. `why`: a LookWhy code why counts can't be used, with its
    `detail`; of FAILED the detail is the error. `looked_at`: the last look that was written down;
    `moved_at`: the last change that led to a run, None = none yet, in these `tables`
    (schema.table; empty: it was notified)."""

    state: WatchState
    why: str | None
    detail: str | None
    looked_at: datetime
    moved_at: datetime | None
    tables: list[str]
