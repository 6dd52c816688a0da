"""Pause a DAG and end a run of it from a page, as Airflow's own endpoints do, in the viewer's name.

Whether the viewer may is the caller's to check (`may_pause`, `may_cancel`). What is done is noted
in Airflow's audit log under the endpoint's own event, so that it reads as if done in Airflow's UI.
"""

from __future__ import annotations

import json

from airflow.api_fastapi.core_api.datamodels.dag_run import DagRunMutableStates, DAGRunPatchBody
from airflow.api_fastapi.core_api.datamodels.dags import DAGPatchBody
from airflow.api_fastapi.core_api.routes.public.dag_run import patch_dag_run
from airflow.api_fastapi.core_api.routes.public.dags import patch_dag
from airflow.models.dagbag import DBDagBag
from airflow.models.log import Log
from airflow.utils.session import create_session

from contact_sync.airflow_edge.access import Viewer


def pause_dag(viewer: Viewer, dag_id: str, *, paused: bool) -> None:
    """Pause or unpause it. Airflow answers 404 when it doesn't know the DAG."""
    with create_session(scoped=False) as session:
        patch_dag(dag_id, DAGPatchBody(is_paused=paused), session, None)
        session.add(_noted(viewer, "patch_dag", dag_id, None, is_paused=paused))


def cancel_dag_run(viewer: Viewer, dag_id: str, run_id: str) -> None:
    """Mark a run as failed, which ends its tasks; its last one still frees the lease. Airflow
    answers 404 when there is no such run."""
    body = DAGRunPatchBody(state=DagRunMutableStates.FAILED)
    with create_session(scoped=False) as session:
        patch_dag_run(dag_id, run_id, body, session, DBDagBag(), viewer.user, None)
        session.add(_noted(viewer, "patch_dag_run", dag_id, run_id, state="failed"))


def _noted(viewer: Viewer, event: str, dag_id: str, run_id: str | None, **said: object) -> Log:
    extra = json.dumps({"method": "PATCH", **said, "from": "contact sync"})
    owner = viewer.user.get_name()
    return Log(event, owner=owner, dag_id=dag_id, run_id=run_id, extra=extra)
