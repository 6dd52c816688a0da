"""The run report: a tab on each DAG run and its tasks, and a page of its own for every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import HTTPException, Request, Response

from contact_sync.airflow_edge.access import Viewer, ViewerDep
from contact_sync.airflow_edge.audit import Access, note_access
from contact_sync.airflow_edge.dag_runs import SeenDagRun, TaskTimes, seen_dag_run, task_label
from contact_sync.airflow_edge.installation import time_zone
from contact_sync.base.masking import masked
from contact_sync.base.vocabulary import RunState
from contact_sync.config.files import read_definitions
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting import run_story
from contact_sync.reporting.failure import begins
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.reporting.waiting import Said
from contact_sync.reporting.watching import schedule_in_words
from contact_sync.state.for_people import jobs
from contact_sync.state.for_people import runs as shown_runs
from contact_sync.state.for_people.jobs import BatchJob
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.waits import state_side
from contact_sync.web.failures import make_router
from contact_sync.web.links import Link, Links
from contact_sync.web.live_view import LiveView, live_view
from contact_sync.web.rendering import links_of, page
from contact_sync.web.run_examples import examples_of
from contact_sync.web.run_view import EXAMPLES, JOBS, Found, RunView, run_view
from contact_sync.web.seen_sync import SeenSync, readable_sync

DAG_PREFIX = "contact_sync_"
RUNS_SHOWN = 5  # runs of one DAG run: more than one when its first task was cleared
QUICK, SLOW = 5, 20  # seconds until an unfinished run's page asks again
TIMES = "\N{MULTIPLICATION SIGN}"
router = make_router()


@dataclass(frozen=True, slots=True)
class StepOfDagRun:
    """A task of the DAG run, its mapped instances together."""

    link: Link
    states: str
    started: datetime | None
    seconds: float | None
    tries: int


@dataclass(frozen=True, slots=True)
class RunPage:
    """The page of a run, or of a DAG run with all of its runs, newest first.

    `batch_id`: the batch of the task that the page is a tab of. `refresh`: seconds until the page
    asks again, None = it doesn't.
    """

    sync: SeenSync
    links: Links
    runs: list[RunView]
    dag_run: SeenDagRun | None
    batch_id: int | None
    refresh: int | None
    live: LiveView

    @property
    def title(self) -> str:
        """For the browser's tab."""
        what = f"Run {self.runs[0].id:,}" if self.runs else "Sync report"
        return f"{what} of {self.sync.definition.caption}"

    @property
    def is_unfinished(self) -> bool:
        """Whether what it shows still changes."""
        return is_unfinished(self.runs, self.dag_run)

    @property
    def failed_task(self) -> Link | None:
        """The log of the DAG run's first task that failed."""
        if not (self.dag_run and self.dag_run.failed):
            return None
        task, index = self.dag_run.failed
        mapped = f"/mapped/{index}" if index >= 0 else ""
        return Link(task, self.links.task(self.dag_run.dag_id, self.dag_run.run_id, task, mapped))

    @property
    def by_itself(self) -> str:
        """What comes after a failed run, if nobody does anything."""
        definition = self.sync.definition
        has_times = definition.schedule and definition.sends
        return begins(schedule_in_words(definition, time_zone()) if has_times else None)

    @property
    def steps_of_dag_run(self) -> list[StepOfDagRun]:
        """The DAG run's tasks, in the order of their start."""
        found = self.dag_run
        return [_step(found, task, self.links) for task in found.tasks] if found else []

    def is_of_task(self, job: BatchJob) -> bool:
        """Whether the task that the page is a tab of sends this batch."""
        return self.batch_id is not None and self.batch_id in (job.batch_id, job.root_id)

    def steps_of(self, run: RunView) -> list[run_story.Step]:
        """What is to be done: while it waits for a person, that alone."""
        if run.is_running and self.live.needs_person:
            return [run_story.Step("Do what is said above: the run goes on by itself then.")]
        if any(step.link == "approval" for step in run.steps) and not self.sync.may_decide:
            return [*run.steps, run_story.Step("Airflow doesn't let you answer: tell who may.")]
        if self.marked_failed(run):
            return [step for step in run.steps if step.link != "log"]
        return run.steps

    def marked_failed(self, run: RunView) -> Said:
        """Who marked a run as failed of which no task said why; () = nobody did."""
        is_newest = run is self.runs[0]
        return self.live.marked_failed if is_newest and run.has_failed and not run.cause else ()

    def link_of(self, step: run_story.Step, run: RunView) -> Link | None:
        """The page that helps with something that is to be done."""
        links, definition = self.links, self.sync.definition
        found: Link | None = None
        match step.link:
            case "dag":
                word = "Trigger in Airflow" if self.sync.may_trigger else "DAG in Airflow"
                found = Link(word, links.dag(definition.dag_id), in_airflow=True)
            case "rejected" | "dropped" as what:
                is_of_clients = what == "rejected"
                word = "Rejected clients" if is_of_clients else "Dropped values"
                page_of = links.rejected if is_of_clients else links.dropped
                found = Link(word, page_of(definition.name))
            case "plan":
                found = Link("The plan, and the button", links.plan(definition.name, run.id))
            case "sync":
                found = Link("All runs", links.sync(definition.name))
            case "approval" if run.dag_run:
                actions = f"{links.dag_run(*run.dag_run)}/required_actions"
                found = Link("Required Actions", actions, in_airflow=True)
            case "log" if self.failed_task:
                task = self.failed_task
                found = Link(f"Log of {task.text}", task.href, in_airflow=True)
        return found


@router.get("/report")
def report_of_dag_run(
    request: Request,
    viewer: ViewerDep,
    dag_id: str,
    run_id: str,
    task_id: str = "",
    map_index: str = "",
    refresh: str = "on",
) -> Response:
    """The runs that a DAG run has made, newest first: one, unless its first task was cleared.

    On a task that sends a batch, the batch's job is marked.
    """
    viewer.require_read(dag_id)
    name = dag_id.removeprefix(DAG_PREFIX)
    if not dag_id.startswith(DAG_PREFIX) or name not in read_definitions().by_name:
        return page(request, "no_sync.html", title="No contact sync", dag_id=dag_id)
    sync = readable_sync(viewer, name)
    dag_run = seen_dag_run(dag_id, run_id)
    if dag_run is None:
        raise HTTPException(404, f"Airflow has no run {run_id!r} of {dag_id!r}.")
    with reading(sync.state) as cursor:
        holder = run_story.holder_of(dag_id, run_id)
        rows = shown_runs.runs_of_holder(cursor, name, holder, RUNS_SHOWN)
        runs = _views(cursor, viewer, sync, rows, goes_on=dag_run.unfinished)
        live = live_view(cursor, viewer, sync, dag_run, rows[0] if rows else None)
    batch_id = _batch_of(dag_run, task_id, map_index)
    return _page(request, sync, runs, dag_run, live, refresh=refresh == "on", batch_id=batch_id)


@router.get("/syncs/{name}/runs/{run_id}")
def report_of_run(
    request: Request, viewer: ViewerDep, name: str, run_id: int, refresh: str = "on"
) -> Response:
    """One run, whoever started it."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        row = shown_runs.run_of_id(cursor, name, run_id)
        if row is None:
            raise HTTPException(404, f"The sync {name!r} has no run {run_id:,}.")
        (run,) = _views(cursor, viewer, sync, [row], goes_on=False)
        dag_run = seen_dag_run(*run.dag_run) if run.dag_run else None
        live = live_view(cursor, viewer, sync, dag_run, row)
    return _page(request, sync, [run], dag_run, live, refresh=refresh == "on")


def _views(
    cursor: Cursor, viewer: Viewer, sync: SeenSync, rows: list[ShownRun], *, goes_on: bool
) -> list[RunView]:
    """What the page says of runs. While one goes on, the page asks again and again, and addresses
    are masked: otherwise who sees some is noted."""
    found = [_found(cursor, row) for row in rows]
    if goes_on or any(row.state == RunState.RUNNING for row in rows):
        return [run_view(each, masked, sync.definition.deadlines) for each in found]
    with_address = [
        client.client_id
        for each in found
        for clients in each.rejected.values()
        for client in clients[:EXAMPLES]
        if client.email
    ]
    if sync.sees_addresses and with_address:
        note_access(viewer, sync.definition, Access.LISTED, list="run", client_ids=with_address,
                    runs=[row.id for row in rows])  # fmt: skip
    return [run_view(each, sync.shown, sync.definition.deadlines) for each in found]


def is_unfinished(runs: Sequence[RunView], dag_run: SeenDagRun | None) -> bool:
    """Whether the DAG run, or the run of a command line, still goes on."""
    return dag_run.unfinished if dag_run else any(run.is_running for run in runs)


def _page(
    request: Request, sync: SeenSync, runs: list[RunView], dag_run: SeenDagRun | None,
    live: LiveView, *, refresh: bool, batch_id: int | None = None,
) -> Response:  # fmt: skip
    age = max((run.seconds for run in runs), default=0.0)
    asks_again = refresh and is_unfinished(runs, dag_run)
    seconds = (QUICK if age < 600 else SLOW) if asks_again else None
    shown = RunPage(sync, links_of(request), runs, dag_run, batch_id, seconds, live)
    stop = request.url.include_query_params(refresh="off").query
    return page(request, "run.html", title=shown.title, shown=shown, sync=sync,
                refresh=seconds, stop=stop)  # fmt: skip


def _found(cursor: Cursor, run: ShownRun) -> Found:
    run_id = run.id
    return Found(
        run=run,
        slices=jobs.slice_progress(cursor, run_id),
        jobs=jobs.jobs_of_run(cursor, run_id, JOBS + 1),
        rejected=examples_of(cursor, run),
        waits=state_side(cursor, run.sync, run_id) if run.state == RunState.RUNNING else None,
        later=shown_runs.later_runs(cursor, run),
    )


def _batch_of(dag_run: SeenDagRun, task_id: str, map_index: str) -> int | None:
    """The batch that a mapped task sends; Airflow leaves {MAP_INDEX} as it is for other tasks."""
    if not task_id or not map_index.isdecimal():
        return None
    label = task_label(dag_run.dag_id, dag_run.run_id, task_id, int(map_index))
    word, _, number = label.partition(" ")
    return int(number) if word == "batch" and number.isdecimal() else None


def _step(dag_run: SeenDagRun, task: TaskTimes, links: Links) -> StepOfDagRun:
    mapped = "/mapped" if sum(task.states.values()) > 1 else ""
    href = links.task(dag_run.dag_id, dag_run.run_id, task.task_id, mapped)
    states = ", ".join(
        f"{state} {TIMES} {n}" if n > 1 or len(task.states) > 1 else state
        for state, n in ((name.replace("_", " "), n) for name, n in task.states.items())
    )
    return StepOfDagRun(
        Link(task.task_id, href, in_airflow=True), states, task.started, task.seconds, task.tries
    )
