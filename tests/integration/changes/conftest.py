"""A source that may be changed: the sync's statements, or B2CORE's tables."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from contact_sync.run import in_one_process
from local.postgres.server import Cluster
from tests.support.connections import close_all
from tests.support.others import account  # noqa: F401
from tests.support.world import World


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once."""
    monkeypatch.setattr(in_one_process, "READ_PAUSE", 0.0)


@pytest.fixture
def own_sql(world: World, tmp_path: Path) -> World:
    """A world whose statements may be edited."""
    world.sql_folder = shutil.copytree(world.sql_folder, tmp_path / "b2core")
    return world


@pytest.fixture
def own_tables(world: World, cluster: Cluster) -> Iterator[World]:
    """A world whose tables may be altered, with six clients that are loaded."""
    world.seed()
    close_all()  # a database to copy from has no other connection
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS b2core_altered WITH (FORCE)")
        connection.execute("CREATE DATABASE b2core_altered TEMPLATE b2core_world")
        world.b2core_url = world.b2core_url.replace("/b2core_world", "/b2core_altered")
        world.reader_url = world.reader_url.replace("/b2core_world", "/b2core_altered")
        world.run()
        yield world
        connection.execute("DROP DATABASE b2core_altered WITH (FORCE)")
