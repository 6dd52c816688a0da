"""Read how all syncs stand, for the page of all of them: a few statements for any number."""

from __future__ import annotations

from collections import defaultdict

from contact_sync.postgres.cursor import Cursor, many
from contact_sync.reporting.standing import Overview, PastRun
from contact_sync.state import statements
from contact_sync.state.for_people.jobs import job_sums
from contact_sync.state.for_people.runs import runs_of_ids

SQL = statements.load("for_people/overview")


def overviews(cursor: Cursor, names: list[str], past: int) -> dict[str, Overview]:
    """By name, with `past` runs of each; syncs that never ran aren't among them."""
    rows = many(cursor, SQL["overview"], {"names": names})
    which = ("at_work", "ended", "succeeded")
    runs = {run.id: run for run in runs_of_ids(cursor, [row[w] for row in rows for w in which])}
    before = _past_runs(cursor, names, past)
    return {
        row["name"]: Overview(
            **{w: runs.get(row[w]) for w in which},
            past=tuple(before[row["name"]]),
            first_try=row["first_try"],
        )
        for row in rows
    }


def _past_runs(cursor: Cursor, names: list[str], past: int) -> dict[str, list[PastRun]]:
    rows = many(cursor, SQL["past_runs"], {"names": names, "at_most": past})
    sums = job_sums(cursor, [row["run_id"] for row in rows if not row["counted"]])
    found: dict[str, list[PastRun]] = defaultdict(list)
    for row in rows:
        of_jobs = sums.get(row["run_id"], ())
        found[row["name"]].append(
            PastRun(
                row["run_id"],
                row["state"],
                row["sent"] + sum(each.confirmed for each in of_jobs),
                row["rejected"] + sum(each.rejected for each in of_jobs),
            )
        )
    return found
