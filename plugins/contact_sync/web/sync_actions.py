"""What a sync's buttons do: start a run, pause its DAG, cancel a run, by Airflow's own rules."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from contact_sync.airflow_edge.access import Powers, ViewerDep
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.definition import SyncDefinition
from contact_sync.web.failures import make_router
from contact_sync.web.rendering import links_of
from contact_sync.web.same_origin import require_same_origin
from contact_sync.web.seen_sync import readable_definitions

router = make_router()


class Start(StrEnum):
    """Which run a button starts."""

    INCREMENTAL = "incremental"
    FULL = "full"
    DRY_RUN = "dry_run"

    @property
    def conf(self) -> dict[str, Any]:
        """What the trigger form would say."""
        mode = RunKind.FULL if self is Start.FULL else RunKind.INCREMENTAL
        return {
            "mode": str(mode),
            "dry_run": self is Start.DRY_RUN,
            "reason": "started by a button",
        }


@router.post("/syncs/{name}/start")
def start(
    request: Request, viewer: ViewerDep, name: str, kind: Annotated[Start, Form()]
) -> Response:
    """Start a run."""
    definition = _allowed(request, viewer, name, "start")
    from contact_sync.airflow_edge.start_dag_run import start_dag_run

    run = start_dag_run(request, viewer, definition.dag_id, kind.conf)
    return _back(request, name, started=run.run_id, waits="on" if run.waits else "")


@router.post("/syncs/{name}/pause")
def pause(
    request: Request, viewer: ViewerDep, name: str, paused: Annotated[bool, Form()]
) -> Response:
    """Pause its DAG, or unpause it."""
    definition = _allowed(request, viewer, name, "pause")
    from contact_sync.airflow_edge.dag_actions import pause_dag

    pause_dag(viewer, definition.dag_id, paused=paused)
    return _back(request, name, done="paused" if paused else "unpaused")


@router.post("/syncs/{name}/cancel")
def cancel(
    request: Request, viewer: ViewerDep, name: str, run_id: Annotated[str, Form(max_length=250)]
) -> Response:
    """Cancel the run that the page showed, and no other one."""
    definition = _allowed(request, viewer, name, "cancel")
    from contact_sync.airflow_edge.dag_actions import cancel_dag_run
    from contact_sync.airflow_edge.seen_dags import seen_dags

    dag = seen_dags([definition.dag_id]).get(definition.dag_id)
    if dag is None or dag.unfinished != run_id:
        raise HTTPException(404, "This run is over already: there is nothing to cancel.")
    cancel_dag_run(viewer, definition.dag_id, run_id)
    return _back(request, name, done="cancelled")


def _allowed(request: Request, viewer: ViewerDep, name: str, what: str) -> SyncDefinition:
    """The sync's definition. Answers 403 when the viewer may not do that, or the form is another
    site's, and 404 as `readable_definitions` does."""
    definition = readable_definitions(viewer, name).by_name[name]
    require_same_origin(request)
    powers: Powers = viewer.powers(definition.dag_id)
    if not getattr(powers, what):
        said = {"start": "start runs of", "pause": "pause", "cancel": "cancel runs of"}[what]
        raise HTTPException(403, f"Airflow doesn't let you {said} this DAG.")
    return definition


def _back(request: Request, name: str, **said: str) -> Response:
    return RedirectResponse(links_of(request).sync(name, said), status_code=303)
