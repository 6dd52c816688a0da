"""When a sync runs by itself: what Airflow makes of the definition's `schedule`."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated

from croniter import CroniterBadCronError, CroniterBadDateError, croniter
from pydantic import AfterValidator

# airflow.sdk.definitions.timetables._cron.CRON_PRESETS, and what `create_timetable` reads itself.
PRESETS = (
    "@once", "@continuous", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly",
)  # fmt: skip
CHANGES = "changes"
FORMS = 'write five columns (minute hour day month weekday), such as "*/15 * * * *" or '
FORMS += f'"0 6 * * mon-fri", or one of {", ".join(PRESETS)}, or null'


def readable(schedule: str) -> str:
    """The schedule, if Airflow can read it and it will ever come; raises ValueError with the forms.

    Airflow itself judges a schedule when it stores the DAG, and what it can't read there stops
    *every* DAG of the file. Both it and this function ask croniter, it also for the time before.
    """
    if schedule in PRESETS:
        return schedule
    if why := _unwanted(schedule.split()):
        raise ValueError(f"{schedule[:100]!r} {why}; {FORMS}")
    try:
        croniter(schedule).get_next()
        croniter(schedule).get_prev()
    except CroniterBadDateError:
        raise ValueError(f"{schedule!r} names a time that never comes; {FORMS}") from None
    except (CroniterBadCronError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = " ".join(str(error).split())[:200]
        raise ValueError(f"Airflow can't read {schedule!r} ({why}); {FORMS}") from None
    return schedule


def _unwanted(columns: list[str]) -> str:
    """What croniter and Airflow take, and nobody means."""
    if len(columns) > len("mhdMw"):
        return f"has {len(columns)} columns: the sixth would be seconds, the seventh years"
    if any(column[:1] in "rR" for column in columns):
        return "has an R, which gives another time whenever it is asked"
    return ""


def readable_or_changes(schedule: str) -> str:
    """The same, and `changes`; raises ValueError with the forms."""
    if schedule == CHANGES:
        return schedule
    try:
        return readable(schedule)
    except ValueError as error:
        raise ValueError(f"{error}; or {CHANGES}: runs begin when B2CORE changes") from None


def longest_gap(schedule: str, now: datetime) -> timedelta | None:
    """The longer one of the distances between its last two times and its next one, as seen at
    `now` in the schedule's own time zone, to the minute; None for a preset without times."""
    return _longest_gap(schedule, now.replace(second=0, microsecond=0))


# A page shows many syncs, which have few schedules; to read one takes milliseconds.
@lru_cache(maxsize=512)
def _longest_gap(schedule: str, now: datetime) -> timedelta | None:
    if schedule in ("@once", "@continuous"):
        return None
    times = croniter("0 0 1 */3 *" if schedule == "@quarterly" else schedule, now)
    last: datetime = times.get_prev(datetime)
    before: datetime = times.get_prev(datetime)
    times.get_next()  # the last one again
    following: datetime = times.get_next(datetime)
    return max(following - last, last - before)


Schedule = Annotated[str, AfterValidator(readable)]
RunSchedule = Annotated[str, AfterValidator(readable_or_changes)]
