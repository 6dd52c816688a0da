"""docs/production.md is followed: back up, update, and back to the version before."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.state.database import SCHEMA_VERSION
from local.postgres.account import reachable_programs
from local.postgres.server import Cluster
from tests.support import documents
from tests.support.airflow_home import ROOT
from tests.support.world import World

NEWER = """CREATE TABLE contact_sync.of_a_newer_version (run_id bigint REFERENCES contact_sync.run);
           UPDATE contact_sync.alembic_version SET version_num = '9999'"""


def administrate(cluster: Cluster, world: World, start: str, folder: Path) -> None:
    """Run the command of the page that begins so, on the world's state database."""
    (found,) = {
        command.text
        for command in documents.commands()
        if command.page == "docs/production.md" and command.text.startswith(start)
    }
    database = urlsplit(world.state_url).path[1:]
    name, *words = shlex.split(found.replace("/backups", str(folder)))
    words = [word.replace("--dbname=contact_sync", f"--dbname={database}") for word in words]
    words = [database if word == "contact_sync" else word for word in words]
    url = urlsplit(cluster.url())
    login = {"PGHOST": "127.0.0.1", "PGPORT": str(url.port), "PGUSER": str(url.username),
             "PGPASSWORD": str(url.password)}  # fmt: skip
    program = str(reachable_programs(None) / name)
    done = subprocess.run([program, *words], env=login, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_P14_back_to_the_version_before_by_the_commands_of_the_guide(
    world: World, cluster: Cluster, tmp_path: Path
) -> None:
    """What a newer version has added is gone; the next run notices the restore, sends everyone
    again and converges, also what changed in between."""
    world.seed()
    world.run()
    administrate(cluster, world, "pg_dump ", tmp_path)
    with psycopg.connect(world.state_url) as migrated:
        migrated.execute(NEWER)
    world.change()
    with pytest.raises(ConfigError, match="newer than this code's"):
        world.run()
    administrate(cluster, world, "psql --single-transaction --command", tmp_path)
    administrate(cluster, world, "pg_restore ", tmp_path)
    version = "SELECT version_num FROM contact_sync.alembic_version"
    assert world.state(version) == [(SCHEMA_VERSION,)]
    assert world.run()["kind_reason"] == "state_restored"
    world.assert_converged()


def test_the_guide_pauses_after_the_wait() -> None:
    """A run of a paused DAG never ends: to pause and then wait would be to wait for ever."""
    text = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
    update = text.partition("## Update")[2]
    waiting, pausing = (update.index(f"airflow dags {verb}") for verb in ("list-runs", "pause"))
    assert waiting < pausing
