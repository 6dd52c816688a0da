"""Read the runs of syncs, for people: the newest ones, those of a DAG run, one by its id."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, LiteralString

from contact_sync.postgres.cursor import Cursor, many, rows_as
from contact_sync.reporting.shown_run import LaterRun, ShownRun
from contact_sync.state import statements
from contact_sync.state.for_people.jobs import job_sums
from contact_sync.state.runs import with_objects

SQL = statements.load("for_people/runs")


def latest_runs(cursor: Cursor, names: list[str], limit: int) -> list[ShownRun]:
    """The newest runs of each sync, newest first."""
    return _runs(cursor, SQL["newest_runs"], {"names": names, "at_most": limit})


def runs_of_holder(cursor: Cursor, sync: str, holder: str, limit: int) -> list[ShownRun]:
    """The runs whose holder begins with `holder`, newest first: those of one DAG run."""
    parameters = {"sync": sync, "holder": _escaped(holder) + "%", "at_most": limit}
    return _runs(cursor, SQL["runs_of_holder"], parameters)


def run_of_id(cursor: Cursor, sync: str, run_id: int) -> ShownRun | None:
    """One run of a sync."""
    found = _runs(cursor, SQL["run_of_sync"], {"sync": sync, "run_id": run_id})
    return found[0] if found else None


def runs_of_ids(cursor: Cursor, run_ids: Iterable[int | None]) -> list[ShownRun]:
    """The runs of these ids, newest first; each once, and None is no id."""
    wanted = sorted({run_id for run_id in run_ids if run_id is not None})
    return _of_ids(cursor, wanted) if wanted else []


def later_runs(cursor: Cursor, run: ShownRun) -> list[LaterRun]:
    """The first run after this one that succeeded, and the newest one, if there are any."""
    parameters = {"sync_id": run.sync_id, "run_id": run.id}
    return rows_as(LaterRun, cursor, SQL["later_runs"], parameters)


def run_at(cursor: Cursor, sync: str, at: datetime) -> int | None:
    """The id of the run that was at work on a sync at that moment."""
    found = many(cursor, SQL["run_at"], {"sync": sync, "at": at})
    return found[0]["run_id"] if found else None


def _runs(cursor: Cursor, which: LiteralString, parameters: dict[str, Any]) -> list[ShownRun]:
    """The runs whose ids a statement gives."""
    return _of_ids(cursor, [row["run_id"] for row in many(cursor, which, parameters)])


def _of_ids(cursor: Cursor, run_ids: list[int]) -> list[ShownRun]:
    rows = many(cursor, SQL["runs"], {"run_ids": run_ids})
    sums = job_sums(cursor, run_ids)
    return [ShownRun(**with_objects(row), job_sums=sums[row["id"]]) for row in rows]


def _escaped(text: str) -> str:
    """For LIKE, literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
