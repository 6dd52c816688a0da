"""Schedules: what Airflow can read, and what it can't, which would stop every DAG of the file."""

from __future__ import annotations

import pytest
from airflow.sdk import DAG

from contact_sync.base.errors import ConfigError
from contact_sync.config.parse import parse_definition

GOOD = [
    "*/15 * * * *", "0 6 * * mon-fri", "5,35 8-18 * * 1-5", "0 0 L * *", "0 0 29 2 *",
    "0 0 * * sun", "0 0 * * 7", "0 0 * * mon#2", "15 10 * jan,jul *", "0 0 1 */3 *",
    "@once", "@continuous", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly",
]  # fmt: skip
BAD = [
    "every day", "hourly", "daily", "@dayly", "@reboot", "@every 5m", "15 minutes", "15", "6:00",
    "P1D", "1h", "* * * *", "61 * * * *", "0 24 * * *", "0 25 * * *", "0 0 32 * *", "0 0 * 13 *",
    "0 0 * * 8", "0 0 * * mon#6", "a b c d e", "", "  ", "H * * * *", "*/0 * * * *", "0 0 * * ?#",
    "0 0 30 2 *", "0 0 31 4 *", "0 0 * * * * 2001", "0 0 1 1 * 0 2099", "0 6 * * * 30",
    "* * * * * *", "R R * * *", "CRON_TZ=Europe/Zurich 0 6 * * *",
]  # fmt: skip


def definition(schedule: str) -> str:
    """A definition with this schedule."""
    return f"name: north\ncaption: North\nschedule: {schedule!r}\n"


@pytest.mark.parametrize("schedule", GOOD)
def test_a_schedule_that_airflow_reads_is_right(schedule: str) -> None:
    """Airflow itself accepts each of these in a DAG."""
    read = parse_definition(definition(schedule), "north.yaml").schedule
    DAG("north", schedule=read, max_active_runs=1).validate()


@pytest.mark.parametrize("schedule", BAD)
def test_a_schedule_that_airflow_cannot_read_or_that_never_comes_is_refused(schedule: str) -> None:
    """With the forms that are right. Airflow would stop every sync for it, or run it each second.

    Of a year to come, Airflow asks for the time before, and finds none.
    """
    with pytest.raises(ConfigError) as caught:
        parse_definition(definition(schedule), "north.yaml")
    assert str(caught.value).startswith("north.yaml: schedule: ")
    assert "write five columns (minute hour day month weekday)" in str(caught.value)


def test_changes_is_a_schedule_of_runs_only() -> None:
    """A verification costs an export: it comes by the clock. Its keys need that schedule."""
    keys = "on_changes: {at_least_every_minutes: 5, at_most_every_seconds: 30, notify: contacts}\n"
    read = parse_definition(definition("changes") + keys, "north.yaml")
    assert (read.is_watched, read.on_changes.notify) == (True, "contacts")
    with pytest.raises(ConfigError, match="on_changes: says something only with"):
        parse_definition(definition("@hourly") + keys, "north.yaml")
    with pytest.raises(ConfigError, match=r"verify\.schedule: "):
        parse_definition(definition("changes") + "verify: {schedule: changes}\n", "north.yaml")
    with pytest.raises(ConfigError, match="or changes: runs begin when B2CORE changes"):
        parse_definition(definition("on change"), "north.yaml")
