"""Airflow's connections: what is wrong with one is told, and nothing of it is dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from contact_sync.airflow_edge.connections import get_connection
from contact_sync.airflow_edge.dsn import LIBPQ_OPTIONS, postgres_dsn
from contact_sync.airflow_edge.hook import SendGridHook
from contact_sync.base.errors import ConfigError

VARIABLE = "AIRFLOW_CONN_ODD_ONE"
SECRET = "canary-secret"


@pytest.mark.parametrize(
    "value",
    [
        f'{{"conn_type": "postgres", "password": "{SECRET}"',
        f"postgres://ann:{SECRET}@db:port/x",
        f"postgres://ann:{SECRET}#1@db:5432/x",
        f"postgres://ann:{SECRET}/1@db:5432/x",
        f'{{"conn_type": "postgres", "password": "{SECRET}", "port": "many"}}',
        "   ",
        f"'postgres://ann:{SECRET}@db/x'",  # as an env file with quotes gives it
        SECRET,
    ],
)
def test_a_variable_that_airflow_cannot_read_is_called_so(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """Airflow says that the connection isn't defined, which sends people to the wrong place."""
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ConfigError, match=f"{VARIABLE} is set, but Airflow can't read it") as told:
        get_connection("odd_one")
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None


def test_a_connection_that_is_missing_is_told_with_both_places() -> None:
    """Where one is added, and the variable's name."""
    with pytest.raises(ConfigError, match=f"Admin > Connections, or set {VARIABLE}"):
        get_connection("odd_one")


@pytest.mark.parametrize("extra", ["{broken", "[1]", '"text"', "sslmode=require"])
@pytest.mark.parametrize("kind", ["postgres", "sendgrid"])
def test_an_extra_that_is_no_object_is_refused(
    monkeypatch: pytest.MonkeyPatch, extra: str, kind: str
) -> None:
    """Airflow takes it as empty: TLS settings, or the region, would be lost without a word."""
    value = {"conn_type": kind, "password": SECRET, "host": "localhost", "extra": extra}
    monkeypatch.setenv(VARIABLE, json.dumps(value))
    opens: Any = postgres_dsn if kind == "postgres" else lambda name: SendGridHook(name).get_conn()
    with pytest.raises(ConfigError, match="'odd_one': its extra is no JSON object"):
        opens("odd_one")


def test_an_extra_reaches_libpq_or_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be dropped is named, with what is possible."""
    extra = {"keepalives_idle": 30, "sslsni": True, "application_name": "a b", "sslkey": ""}
    value = {"conn_type": "postgres", "host": "localhost", "schema": "x", "extra": extra}
    monkeypatch.setenv(VARIABLE, json.dumps(value))
    assert postgres_dsn("odd_one").endswith("/x?keepalives_idle=30&sslsni=1&application_name=a%20b")
    for key in ("options", "client_encoding", "cursor", "iam", "sslmod"):
        monkeypatch.setenv(VARIABLE, json.dumps({**value, "extra": {**extra, key: "x"}}))
        with pytest.raises(ConfigError, match=f"its extra has {key}, which this sync can't pass"):
            postgres_dsn("odd_one")


def test_an_extra_of_sendgrids_that_nobody_reads_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a region that is dropped the key goes to the other one; what the form has is right."""
    value: dict[str, Any] = {"conn_type": "sendgrid", "password": SECRET}
    stored = {"region": "eu", "allowed_hosts": None}
    monkeypatch.setenv(VARIABLE, json.dumps({**value, "extra": stored}))
    SendGridHook("odd_one").get_conn().close()
    for extra, said in (
        ({"regoin": "eu"}, "'odd_one': its extra has 'regoin', .* did you mean 'region'"),
        ({"region": ["eu"]}, "region is .*must be one of us, eu"),
    ):
        monkeypatch.setenv(VARIABLE, json.dumps({**value, "extra": extra}))
        with pytest.raises(ConfigError, match=said):
            SendGridHook("odd_one").get_conn()


@pytest.mark.parametrize(
    ("given", "host", "verified"),
    [
        ({"host": "localhost", "extra": {"hostaddr": "10.0.0.5"}}, "localhost", True),
        ({"host": "localhost", "extra": {"hostaddr": "127.0.0.1"}}, "localhost", False),
        ({"extra": {"service": "crm"}}, None, True),
        ({"host": " db\n"}, "db", True),
    ],
    ids=["address elsewhere", "address here", "service", "white space"],
)
def test_H05_where_a_connection_leads_is_what_libpq_makes_of_it(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], host: str | None, verified: bool
) -> None:
    """An address goes before the host's name, and a service says the host, unless there is one."""
    value = {"conn_type": "postgres", "login": "ann", "schema": "x", **given}
    monkeypatch.setenv(VARIABLE, json.dumps(value))
    read = conninfo_to_dict(postgres_dsn("odd_one"))
    assert (read.get("host"), read.get("sslmode") == "verify-full") == (host, verified)


def test_the_options_that_are_passed_on_are_libpqs() -> None:
    """All that it knows, save what the connection's fields say and what would change texts."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    ours = {
        "client_encoding", "dbname", "fallback_application_name", "host", "options", "password",
        "port", "replication", "user",
    }  # fmt: skip
    newer = {
        "gssdelegation", "gsslib", "max_protocol_version", "min_protocol_version",
        "oauth_client_id", "oauth_client_secret", "oauth_issuer", "oauth_scope",
        "scram_client_key", "scram_server_key", "sslkeylogfile",
    }  # fmt: skip
    assert set(LIBPQ_OPTIONS) <= known
    assert known - set(LIBPQ_OPTIONS) <= ours | newer
