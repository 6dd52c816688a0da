"""Connections of variables are read without Airflow as Airflow reads them, or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.sdk import Connection

from contact_sync.airflow_edge import from_variables
from contact_sync.airflow_edge.from_variables import TEXTS, plain_connection

VARIABLE = "AIRFLOW_CONN_ODD_ONE"
POSTGRES = {"conn_type": "postgres", "login": "ann", "password": "p%40w", "host": "db"}


@pytest.fixture(autouse=True)
def _without_airflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """This process has imported it; it has no file and no backend."""
    monkeypatch.setattr(from_variables, "has_airflow", lambda: False)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.delenv("AIRFLOW_CONFIG", raising=False)


ORDINARY = [
    "postgres://ann:p%40w@db.example.com:5433/b2%2Fcore?sslmode=require&application_name=a%20b",
    "postgresql://ann@DB/x",
    "postgres://:secret@127.0.0.1",
    "postgres://ann:@db/",
    "postgres://ann:pw@[::1]:5432/x?sslkey=",
    "sendgrid://:SG.key%2Fwith%2Bsigns@api.eu.sendgrid.com",
    "  google-cloud://db/x\n",
    json.dumps(POSTGRES | {"port": 5432, "extra": {"sslmode": "verify-full", "n": 1}}),
    json.dumps(POSTGRES | {"conn_type": "postgresql", "extra": '{"region": "eu"}', "port": 0}),
    json.dumps({"conn_type": "a-b", "host": None, "schema": "", "extra": "{broken"}),
]


@pytest.mark.parametrize("value", ORDINARY, ids=range(len(ORDINARY)))
def test_an_ordinary_connection_is_what_airflow_makes_of_it(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """Field by field; Airflow has JSON and URLs, and its own judgement of each."""
    monkeypatch.setenv(VARIABLE, value)
    found, value = plain_connection("odd_one"), value.strip()
    read = Connection.from_json if value.startswith("{") else Connection.from_uri
    theirs = read(value, conn_id="odd_one")
    assert found is not None
    for name in ("conn_id", *TEXTS, "port", "extra"):
        assert (getattr(found, name) or None) == (getattr(theirs, name) or None), name


ODD = [
    "", "  ", "word", "'postgres://ann:pw@db/x'", "{broken", "[1]", "postgres://ann:pw@db:port/x",
    "postgres://ann:a#b@db/x", "postgres://ann:a/b@db/x", "http://https://db/x", "postgres:///x",
    "postgres://%2Ftmp%2Fsocket/x", "Postgres://ann:pw@db/x", "postgres://db/x?__extra__=%7B%7D",
    *(json.dumps(POSTGRES | more) for more in (
        {"port": "5432"}, {"port": True}, {"password": 7}, {"login": ["a"]}, {"user": "ann"},
        {"conn_type": ""}, {"conn_type": None},
    )),
]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_what_is_odd_is_left_to_airflow(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """It knows more forms, and says what is wrong with others."""
    monkeypatch.setenv(VARIABLE, value)
    assert plain_connection("odd_one") is None


@pytest.mark.parametrize(
    ("settings", "file", "asked"),
    [
        ({"AIRFLOW__SECRETS__BACKEND": "vault"}, "", True),
        ({"AIRFLOW__SECRETS__BACKEND_CMD": "cat it"}, "", True),
        ({"AIRFLOW__WORKERS__SECRETS_BACKEND": "vault"}, "", True),
        ({"AIRFLOW__CORE__MULTI_TEAM": "True"}, "", True),
        ({}, "[secrets]\nbackend = vault\n", True),
        ({}, "[core]\nmulti_team = True\n", True),
        ({}, "no section", True),
        ({"AIRFLOW__SECRETS__BACKEND": ""}, "[secrets]\n# backend = vault\nbackend =\n", False),
        ({}, "[core]\nmulti_team = False\nload_examples = %(x)s\n", False),
    ],
    ids=["backend", "command", "workers", "teams", "in file", "teams in file", "broken", "empty",
         "off"],
)  # fmt: skip
def test_whoever_is_set_up_to_be_asked_first_is_asked_by_airflow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: dict[str, str], file: str,
    asked: bool,
) -> None:  # fmt: skip
    """A secrets backend goes before variables in Airflow's order."""
    monkeypatch.setenv(VARIABLE, "postgres://ann:pw@db/x")
    (tmp_path / "airflow.cfg").write_text(file, encoding="utf-8")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert (plain_connection("odd_one") is None) is asked


LOOK = """
import sys
from contact_sync.cli import runs
from contact_sync.airflow_edge import handles
from contact_sync.airflow_edge.connections import get_connection
print(get_connection("odd_one").host, "airflow" in sys.modules, "pandas" in sys.modules)
"""


def test_a_process_whose_connections_are_in_variables_lives_without_airflow(tmp_path: Path) -> None:
    """Its import takes longer than a run without changes; pandas is for rows."""
    environment = os.environ | {VARIABLE: "postgres://ann:pw@db/x", "AIRFLOW_HOME": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["db", "False", "False"]
