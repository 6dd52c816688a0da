"""A run's plan for whoever decides about it, and the removals that wait for a person's word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from contact_sync.airflow_edge.access import Viewer, ViewerDep
from contact_sync.airflow_edge.audit import Access, note_access
from contact_sync.airflow_edge.dag_runs import seen_dag_run
from contact_sync.base.changes import KINDS
from contact_sync.base.vocabulary import RunKind, RunState
from contact_sync.contacts.mapping import Mapping
from contact_sync.reporting import run_story
from contact_sync.reporting.plan_shown import (
    TREND,
    LimitLine,
    can_show_removals,
    has_sent,
    limit_lines,
    trend,
)
from contact_sync.reporting.run_report import run_report
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.state.for_people import changes
from contact_sync.state.for_people.planned_removals import PlannedRemoval, planned_removals
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.runs import latest_runs
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.web.changes_query import run_and_sync
from contact_sync.web.changes_view import ChangeRow, Values, kept_values, rows_of
from contact_sync.web.client_files import addresses
from contact_sync.web.failures import make_router
from contact_sync.web.links import Links
from contact_sync.web.plan_samples import (
    SAMPLES,
    Contacts,
    RemovalRow,
    Sampled,
    contacts_now,
    removal_rows,
    sampled,
    unsealed,
    values_now,
)
from contact_sync.web.rendering import links_of, page
from contact_sync.web.run_view import plan_counts
from contact_sync.web.same_origin import require_same_origin
from contact_sync.web.seen_sync import SeenSync, readable_sync

RUNS = 10
APPROVE_TASK = "approve_plan"
router = make_router()


@dataclass(frozen=True, slots=True)
class PlanPage:
    """The page. `asked`: what a person is asked about; `until`: when the question ends, None = it
    isn't asked in Airflow, or was answered; `may_decide`: whether this viewer may answer it."""

    sync: SeenSync
    links: Links
    run: ShownRun
    limits: list[LimitLine]
    samples: list[tuple[str, str, list[ChangeRow]]]
    removals: list[RemovalRow]
    runs: list[ShownRun]
    until: datetime | None
    may_decide: bool
    problem: str

    @property
    def is_awaited(self) -> bool:
        """Whether the run waits for a person now."""
        running = self.run.state == RunState.RUNNING
        return bool(running and self.run.approval and self.run.approval.is_awaited)

    @property
    def asked(self) -> list[str]:
        """What is, or would be, asked: a sentence for each limit."""
        report = run_report(self.run)
        return report.asks or report.above_limits

    @property
    def answer(self) -> str:
        """What a person has said, and who."""
        return run_report(self.run).answer

    @property
    def actions(self) -> str:
        """Airflow's page where the question is answered; "" = there is none."""
        dag_run = run_story.dag_run_of(self.run.holder)
        if not dag_run:
            return ""
        return f"{self.links.task(*dag_run, APPROVE_TASK)}/required_actions"

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """Word, meaning and number of what the plan counts."""
        return plan_counts(self.run.plan.counts) if self.run.plan else []

    @property
    def fields(self) -> list[tuple[str, int, str]]:
        """How many of the compared clients change a field, and the page of these."""
        found = self.run.plan.changed_fields if self.run.plan else {}
        name, run_id = self.sync.name, self.run.id
        query = {"kind": "changed"}
        return [(field, n, self.links.changes(name, run_id, {**query, "field": field}))
                for field, n in found.items()]  # fmt: skip

    @property
    def held(self) -> int:
        """How many absent clients the run keeps because nobody has named their number."""
        return self.run.plan.held_absences if self.run.plan else 0

    @property
    def newer(self) -> ShownRun | None:
        """The newest run that has made a plan since then; None = this plan is the newest one."""
        return _newer(self.run, self.runs)

    @property
    def trend(self) -> list[tuple[ShownRun, list[int]]]:
        """This plan, and those of the runs before, newest first."""
        return trend([self.run, *(run for run in self.runs if run.id < self.run.id)])[:RUNS]

    @property
    def trend_titles(self) -> list[str]:
        """The columns of `trend`."""
        return list(TREND.values())

    @property
    def samples_of_each(self) -> int:
        """How many clients of a kind are shown at most."""
        return SAMPLES


@router.get("/syncs/{name}/runs/{run_id}/plan")
def plan_of_run(request: Request, viewer: ViewerDep, name: str, run_id: int) -> Response:
    """What a run plans, or planned: counts, limits, samples, trend, and who may decide."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        run, row = run_and_sync(cursor, name, run_id)
        found = sampled(cursor, run_id)
        runs = latest_runs(cursor, [name], 5 * RUNS)
        mapping = changes.mapping_of_run(cursor, run_id)
        going: list[PlannedRemoval] = []
        if mapping is not None and can_show_removals(run) and not _newer(run, runs):
            going = planned_removals(cursor, run_id, SAMPLES, has_sent=has_sent(run))
    contacts, not_now = contacts_now(
        sync, [row.email for row in unsealed(found)] + [row.email for row in going]
    )
    values, problem = _values(sync, found, run_id, contacts, mapping)
    samples, no_mail = _samples(sync, run, row.fields, found, values)
    named = [row.client_id for row in found.rows] + [row.client_id for row in going]
    _note(viewer, sync, run, named)
    removals = removal_rows(sync, run, going, contacts, mapping) if mapping else []
    until, may_decide = _asked(viewer, sync, run)
    shown = PlanPage(
        sync, links_of(request), run, limit_lines(run, sync.definition.limits), samples,
        removals, [each for each in runs if not each.dry_run], until, may_decide,
        problem or not_now or no_mail,
    )  # fmt: skip
    return page(request, "plan.html", title=f"Plan of run {run_id:,}", sync=sync, shown=shown)


def _newer(run: ShownRun, runs: list[ShownRun]) -> ShownRun | None:
    since = (each for each in runs if each.id > run.id and not each.dry_run)
    return next((each for each in since if each.plan is not None), None)


@router.get("/syncs/{name}/plan")
def newest_plan(request: Request, viewer: ViewerDep, name: str) -> Response:
    """To the newest plan, of a dry run or a real one; where Airflow's trigger form leads."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
        runs = latest_runs(cursor, [name], RUNS) if row else []
    for run in runs:
        if run.plan is not None:
            return RedirectResponse(links_of(request).plan(name, run.id), status_code=303)
    raise HTTPException(404, "No run of this sync has made a plan so far. Start a dry run: it "
                             "makes one and sends nothing.")  # fmt: skip


@router.post("/syncs/{name}/plan")
def start_from_plan(
    request: Request, viewer: ViewerDep, name: str,
    mode: Annotated[RunKind, Form()] = RunKind.FULL,
    approve_removals: Annotated[int | None, Form(ge=1)] = None,
) -> Response:  # fmt: skip
    """Start the run that a plan calls for: one that removes exactly so many absent clients, else a
    dry run of the mode; by Airflow's own rules and permissions."""
    sync = readable_sync(viewer, name)
    require_same_origin(request)
    if not sync.may_trigger:
        raise HTTPException(403, "Airflow doesn't let you start runs of this DAG.")
    from contact_sync.airflow_edge.start_dag_run import start_dag_run

    conf: dict[str, object] = {"mode": str(mode)}
    if approve_removals is None:
        conf |= {"dry_run": True, "reason": "a preview, from the page of a plan"}
    else:
        reason = "absent clients are removed, from the page of a plan"
        conf |= {"approve_removals": approve_removals, "reason": reason}
    started = start_dag_run(request, viewer, sync.definition.dag_id, conf)
    links = links_of(request)
    return RedirectResponse(links.dag_run(sync.definition.dag_id, started.run_id), status_code=303)


def _values(
    sync: SeenSync, found: Sampled, run_id: int, contacts: Contacts, mapping: Mapping | None
) -> tuple[Values, str]:
    kept, problem = kept_values(sync, run_id, found.rows)
    now = values_now(unsealed(found), contacts, mapping) if mapping else {}
    return {**now, **kept}, problem


def _samples(
    sync: SeenSync, run: ShownRun, names: list[str], found: Sampled, values: Values
) -> tuple[list[tuple[str, str, list[ChangeRow]]], str]:
    ids = list(dict.fromkeys(row.client_id for row in found.rows))
    mail, problem = addresses(sync.name, ids)
    is_over = run.state != RunState.RUNNING
    by_kind = [
        (KINDS[kind][0], KINDS[kind][1],
         rows_of(rows, names, mail, values, sync, is_over=is_over))
        for kind, rows in found.by_kind.items()
    ]  # fmt: skip
    return by_kind, f"Addresses can't be shown: {problem}" if problem else ""


def _note(viewer: Viewer, sync: SeenSync, run: ShownRun, client_ids: list[int]) -> None:
    if sync.sees_addresses and client_ids:
        note_access(viewer, sync.definition, Access.LISTED, list="plan", run=run.id,
                    client_ids=list(dict.fromkeys(client_ids)))  # fmt: skip


def _asked(viewer: Viewer, sync: SeenSync, run: ShownRun) -> tuple[datetime | None, bool]:
    """Until when Airflow asks, and whether this viewer may answer."""
    dag_run = run_story.dag_run_of(run.holder)
    seen = seen_dag_run(*dag_run) if dag_run else None
    asking = [task for task in seen.tasks if task.task_id == APPROVE_TASK] if seen else []
    if not asking or asking[0].started is None:
        return None, False
    hours = timedelta(hours=sync.definition.limits.approval_hours)
    return asking[0].started + hours, viewer.may_decide(sync.definition.dag_id)
