"""`validate --connect` where Airflow is: its own connections, its pool, its triggerer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from airflow import settings
from airflow.models.connection import Connection
from airflow.models.pool import Pool
from airflow.utils.session import create_session
from cryptography.fernet import Fernet
from sqlalchemy import text as sql

from contact_sync.airflow_edge import installation
from contact_sync.base.errors import ConfigError
from tests.support.airflow_home import ROOT
from tests.support.world import API_KEY, World


def validate() -> tuple[int, list[dict[str, Any]]]:
    """Exit code and findings of the command, in a process of its own; stdout holds only JSON."""
    given = {key: value for key, value in os.environ.items() if "AIRFLOW_CONN_" not in key}
    assert settings.engine is not None
    mine = settings.engine.url.render_as_string(hide_password=False)
    given |= {"PYTHONPATH": str(ROOT / "plugins"), "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": mine}
    done = subprocess.run(
        [sys.executable, "-m", "contact_sync", "validate", "demo", "--connect", "--json"],
        env=given,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert API_KEY not in done.stdout + done.stderr
    (told,) = json.loads(done.stdout)
    return done.returncode, told["findings"]


@pytest.fixture
def stored(
    world: World, airflow_database: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A world whose connections are in Airflow's database, as *Admin > Connections* puts them."""
    for name in ("B2CORE_DEFAULT", "CONTACT_SYNC_STATE", "SENDGRID_DEFAULT"):
        monkeypatch.delenv(f"AIRFLOW_CONN_{name}", raising=False)
    world.seed()
    rows = [
        Connection("b2core_default", uri=world.reader_url),
        Connection("contact_sync_state", uri=world.state_url),
        Connection(
            "sendgrid_default", conn_type="sendgrid", host=world.emulator.base_url,
            password=API_KEY,
        ),
    ]  # fmt: skip
    with create_session() as session:
        session.add_all(rows)
    yield world
    with create_session() as session:
        for row in session.query(Connection).all():
            session.delete(row)
    assert settings.engine is not None
    with settings.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # SQLite keeps the bytes of deleted rows, and other tests search the file for keys.
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            connection.execute(sql(statement))


def test_connections_stored_in_airflow_are_found(stored: World) -> None:
    """The first step that first-connection.md asks for. Nothing has to be exported."""
    code, findings = validate()
    wrong = [f for f in findings if f["judgement"] == "wrong"]
    assert (code, wrong) == (0, [])
    said = {(f["area"], f["subject"]): f["judgement"] for f in findings}
    assert said["Airflow", "pool"] == "ok"
    assert said["Airflow", "time zone"] == "ok"
    assert said["Airflow", "triggerer"] == "warning"


def test_one_wrong_thing_does_not_hide_the_others(stored: World) -> None:
    """A wrong key, a wrong password, one of another Fernet key, a missing pool: told together."""
    with create_session() as session:
        (state,) = session.query(Connection).filter_by(conn_id="contact_sync_state").all()
        state.set_password("wrong")
        (sendgrid,) = session.query(Connection).filter_by(conn_id="sendgrid_default").all()
        sendgrid.set_password("SG.wrong")
        stored_elsewhere = Fernet(Fernet.generate_key()).encrypt(b"of another machine").decode()
        session.execute(
            sql("UPDATE connection SET password = :said WHERE conn_id = 'b2core_default'"),
            {"said": stored_elsewhere},
        )
        session.query(Pool).filter_by(pool="sendgrid").delete()
    try:
        code, findings = validate()
    finally:
        Pool.create_or_update_pool("sendgrid", 4, "Calls to SendGrid", include_deferred=False)
        with create_session() as session:  # Airflow itself can't read it any more, to delete it
            session.execute(sql("DELETE FROM connection WHERE conn_id = 'b2core_default'"))
    wrong = [(f["area"], f["subject"]) for f in findings if f["judgement"] == "wrong"]
    assert code == 1, [f for f in findings if f["area"] in ("Airflow", "state database")]
    assert wrong == [
        ("state database", "connection"), ("B2CORE", "connection"), ("SendGrid", "connection"),
        ("Airflow", "pool"),
    ]  # fmt: skip
    assert any("set AIRFLOW__CORE__FERNET_KEY here" in f["text"] for f in findings)
    assert any(f["fix"].startswith("airflow pools set sendgrid 4") for f in findings)


def test_an_airflow_that_is_too_old_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the DAG's import error, before anything obscure is missing."""
    for version in ("2.11.0", "3.2.9", "3.0"):
        monkeypatch.setattr(installation, "__version__", version)
        with pytest.raises(ConfigError, match=rf"3\.3 or newer, and this is {version}"):
            installation.require_airflow()
    for version in ("3.3.0", "3.3.2+local", "3.3.0rc1", "4.0.0"):
        monkeypatch.setattr(installation, "__version__", version)
        installation.require_airflow()


def of_the_pool() -> str:
    """What is said of it."""
    (found,) = (f for f in installation.airflow_findings() if f.subject == "pool")
    return found.text


def test_the_pool_is_made_once(airflow_database: None) -> None:
    """`init` makes it where there is none, and leaves one with other slots alone."""
    with create_session() as session:
        session.query(Pool).filter_by(pool="sendgrid").delete()
    assert installation.make_pool() == "Airflow's pool sendgrid was made, with 4 slots"
    Pool.create_or_update_pool("sendgrid", 7, "", include_deferred=False)
    assert installation.make_pool() == "Airflow has the pool sendgrid"
    with create_session() as session:
        (pool,) = session.query(Pool).filter_by(pool="sendgrid").all()
        assert pool.slots == 7
    assert "0 slots" not in of_the_pool()
    Pool.create_or_update_pool("sendgrid", 0, "", include_deferred=False)
    assert "has 0 slots: tasks that call SendGrid would wait for ever" in of_the_pool()
    Pool.create_or_update_pool("sendgrid", 4, "Calls to SendGrid", include_deferred=False)
