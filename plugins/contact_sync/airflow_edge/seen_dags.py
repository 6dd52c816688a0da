"""What Airflow knows of many DAGs at once, read from its own database in the API server."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select

from contact_sync.airflow_edge.dag_runs import UNFINISHED


@dataclass(frozen=True, slots=True)
class SeenDag:
    """`next_run`: when Airflow starts the next one by itself; None = it won't, or the DAG is
    paused. `unfinished`: the run id of the oldest run that still goes on or is queued."""

    is_paused: bool
    next_run: datetime | None
    unfinished: str | None = None


def seen_dags(dag_ids: Collection[str]) -> dict[str, SeenDag]:
    """By DAG id; DAGs that Airflow hasn't read yet aren't among them. Permissions are the
    caller's to check."""
    with create_session(scoped=False) as session:
        dags = session.execute(
            select(DagModel.dag_id, DagModel.is_paused, DagModel.next_dagrun_create_after).where(
                DagModel.dag_id.in_(dag_ids), DagModel.is_stale.is_(False)
            )
        ).all()
        runs = session.execute(
            select(DagRun.dag_id, DagRun.run_id)
            .where(DagRun.dag_id.in_(dag_ids), DagRun.state.in_(UNFINISHED))
            .order_by(DagRun.id.desc())
        ).all()
    oldest = {row.dag_id: row.run_id for row in runs}
    return {
        row.dag_id: SeenDag(
            bool(row.is_paused),
            None if row.is_paused else row.next_dagrun_create_after,
            oldest.get(row.dag_id),
        )
        for row in dags
    }
