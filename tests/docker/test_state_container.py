"""What docker-compose.yaml's state database runs at its first start, in the same order."""

from __future__ import annotations

import os
import subprocess

import psycopg

from contact_sync.base.paths import INCLUDE
from contact_sync.state.migrate import migrate
from local.postgres.account import os_user, reachable_programs
from local.postgres.process import HOST, SUPERUSER
from local.postgres.server import memory_folder, temporary_cluster
from tests.support.airflow_home import ROOT

PASSWORD = "it's only a test"


def test_the_role_may_log_in_and_migrate_after_the_first_start() -> None:
    """roles.sql, then the password from the container's environment; quotes in it do no harm."""
    with temporary_cluster(memory_folder()) as cluster:
        url = cluster.create_database("contact_sync")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute((INCLUDE / "sql" / "state" / "roles.sql").read_bytes())
        programs = reachable_programs(os_user())
        container = {
            "PATH": f"{programs}{os.pathsep}{os.defpath}",
            "PGHOST": HOST, "PGPORT": str(cluster.port), "PGPASSWORD": cluster.password,
            "POSTGRES_USER": SUPERUSER, "POSTGRES_DB": "contact_sync",
            "STATE_DB_PASSWORD": PASSWORD,
        }  # fmt: skip
        script = ROOT / "docker" / "state-db-password.sh"
        subprocess.run(["sh", str(script)], env=container, check=True, timeout=30)
        migrate(cluster.url("contact_sync", user="contact_sync_state", password=PASSWORD))
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT count(*) FROM contact_sync.sync").fetchone()
    assert row == (0,)
