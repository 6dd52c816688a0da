"""Both databases on the oldest PostgreSQL that the README names, reached by verified TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from contact_sync.b2core.contract import contract_findings
from contact_sync.base.findings import Judgement
from contact_sync.config.source import ChangeDetection
from contact_sync.state.migrate import migrate
from local.b2core_demo import READER, create_reader, create_schema
from local.sendgrid_emulator.process import Emulator
from tests.conftest import READER_PASSWORD, STATE_PASSWORD, STATE_ROLE, STATE_ROLES
from tests.support import connections
from tests.support.airflow_home import ROOT
from tests.support.certificates import signed
from tests.support.oldest_postgres import VERSION, oldest_postgres
from tests.support.verified import found_in, verify
from tests.support.world import LIST_NAME, World

pytestmark = pytest.mark.slow


@pytest.fixture
def old(emulator: Emulator, tmp_path: Path) -> Iterator[World]:
    """A world on such a server, with the roles that the project ships."""
    tmp_path.chmod(0o711)
    with oldest_postgres() as server:
        certificate, key = signed("db.example").write(server.directory)
        with psycopg.connect(server.url(), autocommit=True) as admin:
            for name, value in {"cert_file": certificate, "key_file": key}.items():
                admin.execute(f"ALTER SYSTEM SET ssl_{name} = '{value}'".encode())
            admin.execute("ALTER SYSTEM SET ssl = on")
            admin.execute("SELECT pg_reload_conf()")
        b2core, state = server.create_database("b2core"), server.create_database("state")
        create_schema(b2core)
        create_reader(b2core, READER_PASSWORD)
        with psycopg.connect(state, autocommit=True) as admin:
            admin.execute(STATE_ROLES.read_bytes())
            role, password = sql.Identifier(STATE_ROLE), sql.Literal(STATE_PASSWORD)
            admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, password))
        tls = f"?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={certificate}"

        def of(database: str, role: str, password: str) -> str:
            url = server.url(database, user=role, password=password)
            return url.replace("@127.0.0.1", "@db.example") + tls

        state = of("state", STATE_ROLE, STATE_PASSWORD)
        migrate(state)
        reader = of("b2core", READER, READER_PASSWORD)
        yield World(b2core, reader, state, emulator, list_id=emulator.admin.create_list(LIST_NAME))
        connections.close_all()


def test_whole_runs_and_a_verification(old: World) -> None:
    """The first load, nothing, changes by JSON and CSV, who is gone, and what both sides have."""
    assert f"| {VERSION} to 18" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert old.state("SHOW server_version_num")[0][0].startswith(str(VERSION))
    old.seed()
    assert old.run()["kind_reason"] == "first_load"
    old.assert_converged()
    again = old.run()
    assert (again["kind"], again["counts"]["sent"]) == ("incremental", 0)
    old.change()
    old.redefine(lane="csv")
    assert old.run()["kind"] == "incremental"
    old.assert_converged()
    old.sql("DELETE FROM b2core.clients WHERE id = 2")
    for _ in range(2):  # it has to be absent twice
        assert old.run()["state"] == "succeeded"
    assert old.list_id not in old.contacts()["client2@example.com"]["list_ids"]
    old.assert_converged(unlisted={"client2@example.com"})
    assert found_in(old, verify(old)) == {}


def test_the_checklist_of_its_statements_and_role(old: World) -> None:
    """All is right, as on a newer one."""
    old.seed()
    with old.sync() as sync, sync.b2core.snapshot() as snapshot:
        said = [
            *contract_findings(snapshot, ChangeDetection.XMIN, "email", ["email"]),
            snapshot.role(),
        ]
    assert {finding.judgement for finding in said} == {Judgement.OK}
