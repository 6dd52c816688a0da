"""A PostgreSQL with the demo's B2CORE, empty at the start of every test."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from local.b2core_demo import create_reader, create_schema
from local.postgres.server import Cluster, memory_folder, temporary_cluster
from tests.support.databases import empty_b2core

READER_PASSWORD = "only for tests"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Start one server for all tests."""
    with temporary_cluster(memory_folder()) as running:
        yield running


@pytest.fixture(scope="session")
def database(cluster: Cluster) -> str:
    """Create the tables and the reader once, and return the superuser's URL."""
    url = cluster.create_database("b2core")
    create_schema(url)
    create_reader(url, READER_PASSWORD)
    return url


@pytest.fixture
def b2core(database: str) -> str:
    """Return the URL of a B2CORE that has its lookup values and no client."""
    empty_b2core(database)
    return database


@pytest.fixture
def connection(b2core: str) -> Iterator[psycopg.Connection]:
    """Connect to the empty B2CORE; every statement commits."""
    with psycopg.connect(b2core, autocommit=True) as opened:
        yield opened


@pytest.fixture
def reader(b2core: str, cluster: Cluster) -> Iterator[psycopg.Connection]:
    """Connect as the role that the sync reads with."""
    url = cluster.url("b2core", user="contact_sync_reader", password=READER_PASSWORD)
    with psycopg.connect(url, autocommit=True) as opened:
        yield opened
