"""Start a DAG run from a page, as Airflow's own trigger endpoint does, in the viewer's name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from airflow.api_fastapi.core_api.datamodels.dag_run import TriggerDAGRunPostBody
from airflow.api_fastapi.core_api.routes.public.dag_run import trigger_dag_run
from airflow.models.dag import DagModel
from airflow.models.dagbag import DBDagBag
from airflow.models.log import Log
from airflow.utils.session import create_session
from fastapi import Request

from contact_sync.airflow_edge.access import Viewer


@dataclass(frozen=True, slots=True)
class StartedDagRun:
    """`waits`: the DAG is paused, so nothing happens before somebody unpauses it."""

    run_id: str
    waits: bool


def start_dag_run(
    request: Request, viewer: Viewer, dag_id: str, conf: dict[str, Any]
) -> StartedDagRun:
    """Queue a run with these params, noted in Airflow's audit log.

    Whether the viewer may is the caller's to check (`may_trigger`). Airflow answers 400 when the
    DAG is broken or refuses the params, 404 when it doesn't know the DAG.
    """
    body = TriggerDAGRunPostBody(logical_date=None, conf=conf)
    with create_session(scoped=False) as session:
        run: Any = trigger_dag_run(dag_id, body, DBDagBag(), viewer.user, session, request)
        said = {"method": "POST", "conf": conf, "from": "contact sync"}
        owner = viewer.user.get_name()
        session.add(
            Log("trigger_dag_run", owner=owner, dag_id=dag_id, run_id=run.run_id,
                extra=json.dumps(said))
        )  # fmt: skip
        paused = session.get(DagModel, dag_id)
        return StartedDagRun(str(run.run_id), bool(paused and paused.is_paused))
