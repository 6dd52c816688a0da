"""The run report: a tab on each DAG run and its tasks, and a page of its own for every run."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from fastapi import HTTPException, Request, Response

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.airflow_edge.dag_runs import SeenDagRun, seen_dag_run, task_label
from contact_sync.config.files import read_definitions
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting import run_story
from contact_sync.reporting.run_report import run_report
from contact_sync.state.for_people import jobs as shown_jobs
from contact_sync.state.for_people import rejected as shown_rejected
from contact_sync.state.for_people import runs as shown_runs
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.rejected import Filter, RejectedClient
from contact_sync.web.failures import make_router
from contact_sync.web.rendering import page
from contact_sync.web.seen_sync import SeenSync, readable_sync

DAG_PREFIX = "contact_sync_"
TRIES = 5  # runs of one DAG run: more than one when its first task was cleared
JOBS = 100
REJECTED = 1_000  # looked at, to find the first ones of each reason
EXAMPLES = 5
QUICK, SLOW = 5, 20  # seconds until an unfinished run's page asks again
router = make_router()


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
        runs = shown_runs.runs_of_holder(cursor, name, holder, TRIES)
        stories = [tell(cursor, sync, run) for run in runs]
    batch_id = _batch_of(dag_run, task_id, map_index)
    return _page(request, sync, stories, dag_run, refresh, batch_id)


def _batch_of(dag_run: SeenDagRun, task_id: str, map_index: str) -> int | None:
    """The batch that a mapped task sends; Airflow leaves {MAP_INDEX} as it is for other tasks."""
    if not task_id or not map_index.isdecimal():
        return None
    label = task_label(dag_run.dag_id, dag_run.run_id, task_id, int(map_index))
    word, _, number = label.partition(" ")
    return int(number) if word == "batch" and number.isdecimal() else None


@router.get("/syncs/{name}/runs/{run_id}")
def report_of_run(
    request: Request, viewer: ViewerDep, name: str, run_id: int, refresh: str = "on"
) -> Response:
    """One run, whoever started it."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        run = shown_runs.run_of_id(cursor, name, run_id)
        if run is None:
            raise HTTPException(404, f"The sync {name!r} has no run {run_id}.")
        story = tell(cursor, sync, run)
    dag_run = seen_dag_run(*story["dag_run"]) if story["dag_run"] else None
    return _page(request, sync, [story], dag_run, refresh)


def _page(
    request: Request,
    sync: SeenSync,
    stories: list[dict[str, Any]],
    dag_run: SeenDagRun | None,
    refresh: str,
    batch_id: int | None = None,
) -> Response:
    running = any(story["report"]["state"] == "running" for story in stories)
    unfinished = dag_run.unfinished if dag_run else running
    age = max((story["report"]["seconds"] for story in stories), default=0.0)
    seconds = (QUICK if age < 600 else SLOW) if unfinished and refresh == "on" else None
    title = f"Run {stories[0]['report']['id']}" if stories else "Sync report"
    return page(
        request,
        "run.html",
        title=f"{title} of {sync.definition.caption}",
        sync=sync,
        stories=stories,
        dag_run=dag_run,
        unfinished=unfinished,
        batch_id=batch_id,
        refresh=seconds,
        stop=request.url.include_query_params(refresh="off").query,
    )


def tell(cursor: Cursor, sync: SeenSync, run: dict[str, Any]) -> dict[str, Any]:
    """All that the page says about one run."""
    report = run_report(run)
    done = run_story.sent(shown_jobs.job_sums(cursor, run["id"]))
    slices = shown_jobs.slice_progress(cursor, run["id"])
    jobs = shown_jobs.jobs_of_run(cursor, run["id"], JOBS + 1)
    is_rejecting = any(report["rejections"].values())
    rejected: list[RejectedClient] = []
    if is_rejecting:
        rejected = shown_rejected.page_of_clients(cursor, Filter(run["sync_id"]), REJECTED)
    return {
        "row": run,
        "report": report,
        "dag_run": run_story.dag_run_of(run["holder"]),
        "done": done,
        "phase": run_story.phase(run, slices, done) if run["state"] == "running" else "",
        "slices": slices,
        "cause": run_story.cause(run),
        "steps": run_story.next_steps(run, report, done),
        "counts": _counts(report["counts"]),
        "jobs": jobs[:JOBS],
        "more_jobs": len(jobs) > JOBS,
        "rejections": _rejections(report["rejections"], rejected, sync),
        "exclusions": report["exclusions"],
        "meanings": run_story.MEANINGS,
        "read_at": _moment((run["snapshot"] or {}).get("read_at")),
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _counts(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    """(word, meaning, number) of what the plan counts."""
    return [
        (word, meaning, counts[key])
        for key, (word, meaning) in run_story.COUNTS.items()
        if counts.get(key) or key in ("read", "to_send", "rejected")
        if key in counts
    ]


def _rejections(
    reasons: dict[str, int], rejected: list[RejectedClient], sync: SeenSync
) -> list[dict[str, Any]]:
    """Each reason of the run with its number, and the first clients rejected for it now."""
    by_reason: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rejected:
        why = ": ".join(filter(None, (row.field, row.reason)))
        by_reason[why].append({"client_id": row.client_id, "shown": sync.shown(row.email)})
    return [
        {"why": why, "n": n, "clients": by_reason[why][:EXAMPLES]}
        for why, n in sorted(reasons.items(), key=lambda item: -item[1])
        if n
    ]
