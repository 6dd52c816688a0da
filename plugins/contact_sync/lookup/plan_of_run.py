"""A run's plan for the command line: its limits, some clients of each kind, the runs before."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from contact_sync.base.changes import KINDS
from contact_sync.reporting import change_lines
from contact_sync.reporting.change_lines import Change
from contact_sync.reporting.plan_shown import (
    TREND,
    LimitLine,
    becomes,
    has_sent,
    limit_lines,
    reason,
    trend,
)
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.state.for_people import changes
from contact_sync.state.for_people.planned_removals import PlannedRemoval, planned_removals
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.runs import latest_runs
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.sync import Databases

SAMPLES = 10
"""Clients of each kind."""
RUNS = 10
"""Runs before."""


@dataclass(frozen=True, slots=True)
class PlanOfRun:
    """`samples`: changes by kind; `fields`: all that the sync ever filled, by bit; `before`: runs
    with the numbers of TREND, newest first; `removals`: some contacts that would go, and what would
    become of each."""

    limits: list[LimitLine]
    samples: dict[str, list[Change]]
    fields: list[str]
    before: list[tuple[ShownRun, list[int]]]
    removals: list[tuple[PlannedRemoval, str]]

    def to_json(self) -> dict[str, Any]:
        """A part of `plan --json`; no address, no value."""
        return {
            "limits": [asdict(line) for line in self.limits],
            "samples": {
                kind: [
                    {"client_id": row.client_id, "client_key": row.client_key,
                     "fields": row.names(self.fields), "reason": row.reason}
                    for row in rows
                ]
                for kind, rows in self.samples.items()
            },
            "removals": [
                {"client_id": row.client_id, "client_key": row.client_key, "reason": row.why,
                 "becomes": then}
                for row, then in self.removals
            ],
            "runs_before": [
                {"id": run.id, "started_at": run.started_at}
                | dict(zip(TREND, numbers, strict=True))
                for run, numbers in self.before
            ],
        }  # fmt: skip

    def lines(self) -> list[str]:
        """The same for people."""
        found = [
            f"  {line.what}: {line.n:,} of {line.allowed:,} allowed{', above' * line.is_above}"
            for line in self.limits
        ]
        for kind, rows in self.samples.items():
            found.append(f"  some that are {KINDS[kind][0]}:")
            found += [f"    client {self._told(row)}" for row in rows]
        if self.removals:
            found.append("  some contacts that would go:")
        for row, then in self.removals:
            who = f"client {row.called}" if row.called else "of no client that is known"
            found.append(f"    {who}: {reason(row.why)}; {then}")
        return found

    def _told(self, row: Change) -> str:
        said = ", ".join(row.names(self.fields) or []) or change_lines.note(row)
        parts = (row.client_key or str(row.client_id), said, change_lines.why(row))
        return ": ".join(filter(None, parts))


def plan_of_run(sync: Databases, run: ShownRun) -> PlanOfRun:
    """What the plan of a run of this sync is, beside its report."""
    name = sync.definition.name
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
        samples = changes.samples(cursor, run.id, SAMPLES)
        runs = latest_runs(cursor, [name], 5 * RUNS)
        going = planned_removals(cursor, run.id, SAMPLES, has_sent=has_sent(run))
    older = [each for each in runs if each.id < run.id and not each.dry_run]
    return PlanOfRun(
        limit_lines(run, sync.definition.limits),
        samples,
        row.fields if row else [],
        trend(older)[:RUNS],
        [(row, becomes(run, sync.definition, row.why)) for row in going],
    )
