"""`migrate`, `migrate --check` and `migrate --sql`: what is missing, and a file that does it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.cli.main import main
from contact_sync.state.database import SCHEMA_VERSION, StateDatabase
from local.docs_generator.state_schema import read_schema
from local.postgres.account import reachable_programs
from local.postgres.server import Cluster
from tests.conftest import STATE_PASSWORD, STATE_ROLE, STATE_ROLES
from tests.support.old_schema import upgrade_to

VERSION = "SELECT version_num FROM contact_sync.alembic_version"
OWNERS = """SELECT DISTINCT relowner::regrole::text FROM pg_class
            WHERE relnamespace = 'contact_sync'::regnamespace"""


def database(cluster: Cluster, name: str) -> str:
    """An empty database in which the role of roles.sql may make its schema; that role's URL."""
    with psycopg.connect(cluster.create_database(name), autocommit=True) as administrator:
        administrator.execute(STATE_ROLES.read_bytes())
    return cluster.url(name, user=STATE_ROLE, password=STATE_PASSWORD)


@pytest.mark.parametrize("version", [None, "0001", "0017", "0018"])
def test_the_sql_of_the_missing_migrations_does_what_migrate_does(
    cluster: Cluster, state_template: str, version: str | None, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """From nothing, and from older versions: an administrator runs it, the role owns the result;
    --check says what is missing before, and that nothing is afterwards."""
    name = f"by_hand_{version}"
    url = database(cluster, name)
    if version:
        upgrade_to(url, version)
    monkeypatch.setenv("AIRFLOW_CONN_CONTACT_SYNC_STATE", url)
    assert main(["migrate", "--check"]) == 1
    said = capsys.readouterr().out
    assert f"this code needs {SCHEMA_VERSION}. Missing:" in said
    assert ("0002  " in said) is (version in (None, "0001"))
    assert f"{SCHEMA_VERSION}  " in said
    assert main(["migrate", "--sql"]) == 0
    script = tmp_path / "pending.sql"
    script.write_text(capsys.readouterr().out)
    assert psql(cluster.url(name), script) == ""
    assert main(["migrate", "--check"]) == 0
    with psycopg.connect(cluster.url(name)) as administrator:
        assert administrator.execute(VERSION).fetchall() == [(SCHEMA_VERSION,)]
        assert administrator.execute(OWNERS).fetchall() == [(STATE_ROLE,)]
    assert read_schema(cluster.url(name)) == read_schema(cluster.url(state_template))
    capsys.readouterr()
    assert main(["migrate", "--sql"]) == 0
    assert capsys.readouterr().out == f"-- Nothing is missing: version {SCHEMA_VERSION}\n"
    assert "write this file again" in psql(cluster.url(name), script)


def psql(url: str, script: Path) -> str:
    """Run the file as it says itself; returns what went wrong."""
    command = [str(reachable_programs(None) / "psql"), "--set", "ON_ERROR_STOP=1", "--quiet"]
    done = subprocess.run(
        [*command, "--file", str(script), url], capture_output=True, text=True, check=False
    )
    return done.stderr


def test_the_command_that_upgrades_names_the_connection(cluster: Cluster) -> None:
    """Of a sync whose state database isn't the usual one."""
    url = database(cluster, "of_another_sync")
    for version in (None, "0021"):
        if version:
            upgrade_to(url, version)
        command = r"run `python -m contact_sync migrate --connection west_state`"
        with pytest.raises(ConfigError, match=f"at version {version or 'none'}.*{command}"):
            StateDatabase(url, "west_state").check_schema()


def test_a_newer_schema_is_told(
    state_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By each of the three; nothing is printed that somebody could run."""
    monkeypatch.setenv("AIRFLOW_CONN_CONTACT_SYNC_STATE", state_url)
    with psycopg.connect(state_url, autocommit=True) as connection:
        connection.execute("UPDATE contact_sync.alembic_version SET version_num = '9999'")
        try:
            for option in ([], ["--check"], ["--sql"]):
                assert main(["migrate", *option]) == 1
                told = capsys.readouterr()
                assert "use the newer code" in told.err
                assert told.out == ""
        finally:
            connection.execute(
                "UPDATE contact_sync.alembic_version SET version_num = %s", [SCHEMA_VERSION]
            )
