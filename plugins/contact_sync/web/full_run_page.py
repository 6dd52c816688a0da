"""*Full run*: what it would send now, before it is started; and the same as a picture, which
Airflow's trigger form shows.

Airflow writes a form when it reads the DAG's file, where a look at a database would cost every
parse. A picture is asked for when somebody opens the form, with the login of that browser.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from textwrap import wrap

from fastapi import Request, Response

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.base.errors import SyncError
from contact_sync.base.source_look import SourceCounts
from contact_sync.base.vocabulary import RunKind, RunState
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.full_run_preview import FullRunPreview, Planned, Written
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.state.for_people.expected import Expected, expected
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.runs import latest_runs
from contact_sync.web.failures import make_router
from contact_sync.web.look_up import asking_b2core
from contact_sync.web.rendering import HEADERS, page, rendered
from contact_sync.web.seen_sync import SeenSync, readable_sync

RUNS = 10
LINE_LETTERS = 80
"""The picture's width."""
router = make_router()


@router.get("/syncs/{name}/full-run")
def full_run(request: Request, viewer: ViewerDep, name: str) -> Response:
    """What a full run would send, and the button that starts it."""
    sync = readable_sync(viewer, name)
    powers = viewer.powers(sync.definition.dag_id)
    return page(request, "full_run.html", title="A full run now", sync=sync,
                shown=_preview(sync), powers=powers)  # fmt: skip


@router.get("/syncs/{name}/full-run.svg")
def full_run_picture(viewer: ViewerDep, name: str) -> Response:
    """The answer in a line or two, in colours of its own: it may stand on light and on dark."""
    shown = _preview(readable_sync(viewer, name))
    lines = wrap(f"{shown.sentence} {shown.base}", LINE_LETTERS)
    return Response(
        rendered("full_run.svg", lines=lines, letters=LINE_LETTERS),
        media_type="image/svg+xml",
        headers=HEADERS,
    )


def _preview(sync: SeenSync) -> FullRunPreview:
    with reading(sync.state) as cursor:
        dry, held = _newest(cursor, sync.name)
        known = expected(cursor, sync.definition, dry.id if dry else None)
    if known is None or known.watermark is None:
        return FullRunPreview(None)
    shown = FullRunPreview(
        _planned(known, dry), edited=_is_edited(sync, known), unproven=known.unproven,
        held=held,
    )  # fmt: skip
    base = dry.snapshot if dry and dry.snapshot else known.watermark
    if dry is not None:
        shown = replace(shown, dry_run=dry.id, age=known.now - (dry.finished_at or known.now))
    written, why = _written(sync, base.counts)
    return replace(
        shown, read_at=datetime.fromisoformat(base.read_at), written=written, uncounted=why
    )


def _newest(cursor: Cursor, name: str) -> tuple[ShownRun | None, int]:
    """The newest dry run of all clients, unless a run has sent since; and how many absent clients
    the newest run holds."""
    runs = [run for run in latest_runs(cursor, [name], RUNS) if run.plan is not None]
    held = runs[0].plan.held_absences if runs and runs[0].plan else 0
    for run in runs:
        if not run.dry_run:
            return None, held
        if run.kind == RunKind.FULL and run.state == RunState.SUCCEEDED:
            return run, held
    return None, held


def _planned(known: Expected, dry: ShownRun | None) -> Planned:
    if dry is not None and dry.plan is not None:
        counts = dry.plan.counts
        new = counts.get("new", 0)
        return Planned(new, counts.get("to_send", 0) - new, counts.get("to_remove", 0))
    waiting = known.waiting
    again = waiting.pending - waiting.new + waiting.retried
    return Planned(waiting.new, again, waiting.removals)


def _is_edited(sync: SeenSync, known: Expected) -> bool:
    from contact_sync.run.context import definition_hash

    return known.edition is not None and known.edition != definition_hash(sync.definition)


def _written(sync: SeenSync, then: SourceCounts | None) -> tuple[Written | None, str]:
    from contact_sync.lookup.rows_written import rows_written

    try:
        with asking_b2core(sync.name) as opened:
            return rows_written(opened, then)
    except SyncError as error:
        return None, str(error).rstrip(".")
