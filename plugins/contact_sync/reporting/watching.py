"""How the watch of a sync with `schedule: changes` stands, for people. Pure."""

from __future__ import annotations

from datetime import datetime

from contact_sync.base.moments import moment
from contact_sync.base.numbers import count
from contact_sync.base.watching import SILENT_AFTER_SECONDS, Watched, WatchState, learns_by
from contact_sync.config.definition import SyncDefinition

IS_ANYBODY_THERE = "is the DAG unpaused, and a triggerer alive?"


def schedule_in_words(definition: SyncDefinition, zone: str) -> str:
    """When runs begin by themselves; `zone` = the time zone of cron expressions."""
    if not definition.schedule:
        return "none: runs are triggered"
    if not definition.is_watched:
        return f"{definition.schedule} in {zone}"
    how = definition.on_changes
    return (
        f"with changes in B2CORE, at most every {how.at_most_every_seconds} s, and at least every "
        f"{count(how.at_least_every_minutes, 'minute')}"
    )


def watch_in_words(watched: Watched | None, now: datetime) -> str:
    """What the watch sees; None = it has written down nothing yet. `now` by the clock of the state
    database, as its own moments."""
    if watched is None:
        return f"nobody has looked yet: {IS_ANYBODY_THERE}"
    looked = moment(watched.looked_at)
    if (now - watched.looked_at).total_seconds() > SILENT_AFTER_SECONDS:
        return f"nobody has looked since {looked}: {IS_ANYBODY_THERE}"
    said = f"by {learns_by(watched.state, watched.why, watched.detail)}, as of {looked}"
    if watched.moved_at is None or watched.state is WatchState.NOTHING:
        return said
    where = ", ".join(watched.tables) or "a NOTIFY"
    return f"{said}; the last change that began a run: {moment(watched.moved_at)}, {where}"
