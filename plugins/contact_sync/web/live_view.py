"""What a run's page says of its DAG run in Airflow: why it waits, and what people did to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from contact_sync.airflow_edge.access import Viewer
from contact_sync.airflow_edge.airflow_side import airflow_side, killed_tasks, reason_of_try
from contact_sync.airflow_edge.by_hand import deeds
from contact_sync.airflow_edge.dag_runs import SeenDagRun, not_started
from contact_sync.base.run_life import NOT_STARTED, NotStarted
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.both_sides import OverInAirflow, both_sides
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.reporting.waiting import Said, StateSide, Wait, waits
from contact_sync.state.for_people.runs import run_at
from contact_sync.state.for_people.waits import state_side
from contact_sync.web.seen_sync import SeenSync


@dataclass(frozen=True, slots=True)
class LiveView:
    """`waits`: why it doesn't go on just now. `both_sides`: what was done to it, and why Airflow
    says something else. `not_started`: why the DAG run has no run, "" = it has, or nobody knows;
    `other_run`: the run that was at work instead. `marked_failed`: who marked it as failed."""

    waits: list[Wait] = field(default_factory=list)
    both_sides: list[Said] = field(default_factory=list)
    not_started: str = ""
    other_run: int | None = None
    marked_failed: Said = ()

    @property
    def needs_person(self) -> bool:
        """Whether it goes on only when a person has done something."""
        return any(wait.is_for_person for wait in self.waits)


def live_view(
    cursor: Cursor, viewer: Viewer, sync: SeenSync, dag_run: SeenDagRun | None,
    run: ShownRun | None,
) -> LiveView:  # fmt: skip
    """Of a DAG run and its newest run, or of a run of the command line."""
    is_running = run is not None and run.state == "running"
    state = state_side(cursor, sync.name, run.id if run else None)
    deadlines = sync.definition.deadlines
    if dag_run is None:
        found = waits(None, state, deadlines, has_run=True) if is_running else []
        return LiveView(found)
    names = viewer.may_see_audit_log(dag_run.dag_id)
    if dag_run.unfinished:
        airflow = airflow_side(
            dag_run.dag_id, dag_run.run_id, dag_run.state, dag_run.due, names=names
        )
        known = state if is_running or run is None else _apart(state)
        found = waits(airflow, known, deadlines, has_run=run is not None)
    else:
        found = []
    seen = OverInAirflow(
        dag_run.state,
        deeds(dag_run.dag_id, dag_run.run_id, dag_run.due, names=names),
        killed_tasks(dag_run.dag_id, dag_run.run_id, dag_run.due),
        dag_run.failed[0] if dag_run.failed else "",
        reason_of_try(dag_run.dag_id, dag_run.run_id, *dag_run.failed) if dag_run.failed else "",
    )
    why, other = "", None
    if run is None and not dag_run.unfinished:
        code = not_started(dag_run.dag_id, dag_run.run_id)
        why = NOT_STARTED.get(code, "")
        if code == NotStarted.BUSY and (at := dag_run.ended or dag_run.started):
            other = run_at(cursor, sync.name, at)
    return LiveView(found, both_sides(seen, run), why, other, seen.marked_failed)


def _apart(state: StateSide | None) -> StateSide | None:
    """Of a run that is over: only the clock counts."""
    return StateSide(state.now) if state else None
