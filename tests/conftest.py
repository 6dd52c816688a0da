"""What all tests share: one PostgreSQL server and one SendGrid emulator for the whole session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.postgres import Cluster, temporary_cluster
from local.sendgrid_emulator.process import Emulator, start_emulator
from tests import airflow_home  # noqa: F401 sets Airflow's environment before Airflow is imported
from tests.world import API_KEY


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of our own."""
    with temporary_cluster() as running:
        yield running


@pytest.fixture(scope="session")
def emulator_process() -> Iterator[Emulator]:
    """A SendGrid of our own, quick and with the safe reading of empty cells."""
    with start_emulator(
        api_key=API_KEY, empty_cell="keep", delay=0.05, settings={"finish_delay": 0.02}
    ) as running:
        yield running
