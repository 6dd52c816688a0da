"""Airflow's own database for `dag.test()`, and the connections of the sync."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.db import initdb

from tests import canary
from tests.airflow_home import HOME, ROOT
from tests.world import World


@pytest.fixture(scope="session")
def dagbag() -> DagBag:
    """All DAGs of the repository."""
    return DagBag(str(ROOT / "dags"))


@pytest.fixture(scope="session")
def airflow_database(dagbag: DagBag) -> None:
    """Airflow's tables in SQLite; `dag.test()` needs no scheduler, and the pool of the DAG."""
    from airflow.models.pool import Pool

    initdb()
    Pool.create_or_update_pool(
        "sendgrid", slots=4, description="Calls to SendGrid", include_deferred=False
    )


@pytest.fixture
def connected(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    airflow_database: None,
) -> Iterator[World]:
    """The world, reachable through the Airflow connections that the demo's definition names.

    Afterwards Airflow's whole database and its log files are searched for personal data: XCom,
    rendered fields, serialized DAGs, conf, logs.
    """
    world.connect_airflow(monkeypatch)
    yield world
    assert canary.scan_files(HOME) > 0
