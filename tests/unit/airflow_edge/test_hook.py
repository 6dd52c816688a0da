"""Airflow connections: both regions, every form, and what is told when they are wrong."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from contact_sync.airflow_edge.dsn import postgres_dsn
from contact_sync.airflow_edge.hook import SendGridHook
from contact_sync.airflow_edge.sendgrid_connection import base_url
from contact_sync.base.errors import ConfigError

US, EU = "https://api.sendgrid.com", "https://api.eu.sendgrid.com"
KEY = "SG.key-of-the-tests"


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("https://api.sendgrid.com", None, US),
        ("https://api.sendgrid.com/", None, US),
        ("https://api.sendgrid.com/v3", None, US),
        ("https://api.sendgrid.com/v3/", None, US),
        ("https://api.eu.sendgrid.com/v3/", None, EU),
        ("api.eu.sendgrid.com", None, EU),
        ("api.sendgrid.com/v3/", 443, US),
        ("", None, US),
        (None, None, US),
        ("http://127.0.0.1", 8080, "http://127.0.0.1:8080"),
        ("http://127.0.0.1/v3/", 8080, "http://127.0.0.1:8080"),
        ("https://api.sendgrid.com", 0, US),  # what the UI stores for an empty port
    ],
)
def test_S02_the_host_is_the_regions_url(host: str | None, port: int | None, url: str) -> None:
    """US or EU, with or without /v3/ and scheme; US when nothing is said."""
    assert base_url(SimpleNamespace(host=host, port=port, extra_dejson={})) == url


@pytest.mark.parametrize(
    ("region", "host", "url"),
    [
        ("us", "", US),
        ("eu", None, EU),
        ("eu", f"{EU}/v3/", EU),
        (
            "us",
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080",
        ),  # `us` is what the form says first
        ("", EU, EU),
        (None, "", US),
    ],
)
def test_S02_the_region_of_the_form(region: str | None, host: str | None, url: str) -> None:
    """It gives the URL; an own URL goes before it."""
    extra = {"region": region}
    assert base_url(SimpleNamespace(host=host, port=443, extra_dejson=extra)) == url


@pytest.mark.parametrize(
    ("region", "host", "said"),
    [("asia", "", "region is 'asia'; it must be one of us, eu"), ("us", EU, "clear the host")],
)
def test_S02_a_region_that_can_not_be_is_told(region: str, host: str, said: str) -> None:
    """Unknown, or the host is another region's: the key would be refused there."""
    with pytest.raises(ConfigError, match=said):
        base_url(SimpleNamespace(host=host, port=0, extra_dejson={"region": region}))


@pytest.mark.parametrize(
    "variable",
    [
        json.dumps({"conn_type": "sendgrid", "host": f"{EU}/v3/", "password": KEY}),
        f"sendgrid://:{KEY}@api.eu.sendgrid.com",
        f"sendgrid://:{KEY}@https%3A%2F%2Fapi.eu.sendgrid.com%2Fv3%2F",
    ],
    ids=["json", "uri", "uri with scheme"],
)
def test_S02_S03_a_connection_from_the_environment(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Host and key arrive, whichever way it is written."""
    monkeypatch.setenv("AIRFLOW_CONN_SENDGRID_DEFAULT", variable)
    connection = SendGridHook.get_connection("sendgrid_default")
    assert (base_url(connection), connection.password) == (EU, KEY)
    SendGridHook().get_conn().close()


def test_S03_a_missing_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the connection to fix."""
    monkeypatch.setenv("AIRFLOW_CONN_SENDGRID_DEFAULT", "sendgrid://api.sendgrid.com")
    with pytest.raises(ConfigError, match="'sendgrid_default' has no password: put the SendGrid"):
        SendGridHook().get_conn()
    works, said = SendGridHook().test_connection()
    assert not works
    assert "API key" in said


FULL = "sslmode=verify-full"


@pytest.mark.parametrize(
    ("uri", "dsn"),
    [
        (
            "postgresql://ann:p%40s%2Fs@db:5433/crm",
            f"postgresql://ann:p%40s%2Fs@db:5433/crm?{FULL}",
        ),
        ("postgres://ann:pw@db/crm?sslmode=require", "postgresql://ann:pw@db/crm?sslmode=require"),
        ("postgres://ann@db/crm?keepalives=1", f"postgresql://ann@db/crm?keepalives=1&{FULL}"),
        ("postgres://ann:%25%23%3F%20%2B@db/x", f"postgresql://ann:%25%23%3F%20%2B@db/x?{FULL}"),
        ("postgres://a%40b:pw@db/crm", f"postgresql://a%40b:pw@db/crm?{FULL}"),
        ("postgres://ann@db/crm%2Fx%3Fy", f"postgresql://ann@db/crm%2Fx%3Fy?{FULL}"),
        ("postgres://ann@[::1]:5433/crm", "postgresql://ann@[::1]:5433/crm"),
        (
            json.dumps({"conn_type": "postgres", "host": "one:1,two:2", "login": "ann"}),
            f"postgresql://ann@one:1,two:2/?{FULL}",
        ),
        (
            "postgres://ann@db/crm?sslmode=verify-full&sslrootcert=%2Fmy%20certs%2Fca.pem",
            "postgresql://ann@db/crm?sslmode=verify-full&sslrootcert=%2Fmy%20certs%2Fca.pem",
        ),
        (
            json.dumps({"conn_type": "postgres", "host": "/run/pg", "login": "ann", "extra": "{}"}),
            "postgresql://ann@%2Frun%2Fpg/",
        ),
    ],
)
def test_a_postgres_connection_becomes_a_libpq_url(
    uri: str, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Special characters and TLS settings survive."""
    monkeypatch.setenv("AIRFLOW_CONN_CRM", uri)
    assert postgres_dsn("crm") == dsn


def test_libpq_reads_what_airflow_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not our own idea of a URL: the client library takes it apart again."""
    odd = "p@s:s/w?o#r%d +&="
    connection = {
        "conn_type": "postgres", "host": "db", "port": 5433, "login": odd, "password": odd,
        "schema": odd,
        "extra": {"sslmode": "verify-full", "sslrootcert": f"/{odd}", "sslkey": None},
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(connection))
    assert conninfo_to_dict(postgres_dsn("crm")) == {
        "host": "db", "port": "5433", "user": odd, "password": odd, "dbname": odd,
        "sslmode": "verify-full", "sslrootcert": f"/{odd}",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("host", "verified"),
    [
        ("crm-db", True), ("10.0.0.5", True), ("2001:db8::5", True), ("[2001:db8::5]", True),
        ("127.0.0.1.evil.example", True), ("localhost,crm-db", True), ("crm-db:5433", True),
        ("localhost", False), ("127.0.0.1", False), ("::1", False), ("/run/postgresql", False),
        ("127.0.0.1:5432,/run/postgresql", False), ("", False),
    ],
)  # fmt: skip
def test_H05_over_a_network_the_servers_name_is_verified(
    host: str,
    verified: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """libpq's own default would take any server, or none with TLS."""
    connection = {"conn_type": "postgres", "host": host, "login": "ann", "schema": "crm"}
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(connection))
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert ("sslmode=verify-full" in postgres_dsn("crm")) == verified


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_H05_a_weaker_mode_is_a_choice_that_is_told(
    mode: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By the connection's name, without its login; on this machine it is nobody's business."""
    login = "ann:a-long-password"  # Airflow warns of one that is too short to be masked
    monkeypatch.setenv("AIRFLOW_CONN_CRM", f"postgres://{login}@localhost/crm?sslmode={mode}")
    assert f"sslmode={mode}" in postgres_dsn("crm")
    assert caplog.messages == []
    monkeypatch.setenv("AIRFLOW_CONN_CRM", f"postgres://{login}@db/crm?sslmode={mode}")
    assert f"sslmode={mode}" in postgres_dsn("crm")
    (said,) = caplog.messages
    assert said.startswith(f"Airflow connection 'crm' has sslmode={mode}: ")
    assert "ann" not in said
    assert "pw" not in said


def test_another_type_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the password."""
    monkeypatch.setenv("AIRFLOW_CONN_CRM", "mysql://ann:s3cret-pw@db/crm")
    with pytest.raises(ConfigError, match="'crm' is of type 'mysql'; it must be") as caught:
        postgres_dsn("crm")
    assert "s3cret" not in str(caught.value)


SECRETS = {
    "spaces": {"password": f" {KEY}"},
    "line break": {"password": f"{KEY}\n"},
    "no ASCII": {"password": f"{KEY}\u0160"},
    "login in the URL": {"password": KEY, "host": f"https://ann:{KEY}@api.sendgrid.com"},
    "plain http": {"password": KEY, "host": "http://api.sendgrid.com"},
}


@pytest.mark.parametrize("what", SECRETS)
def test_S03_a_wrong_connection_is_told_without_its_key(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is sent; also on Airflow's Test button."""
    monkeypatch.setenv(
        "AIRFLOW_CONN_SENDGRID_DEFAULT", json.dumps({"conn_type": "sendgrid"} | SECRETS[what])
    )
    with pytest.raises(ConfigError) as caught:
        SendGridHook().get_conn()
    works, said = SendGridHook().test_connection()
    assert not works
    assert said == str(caught.value)
    assert KEY not in said
    assert "API key" in said or "API URL" in said


def test_H01_the_connections_owner_may_name_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the extra; anything but a list of names is told."""
    connection: dict[str, Any] = {
        "conn_type": "sendgrid", "host": "https://Proxy.example", "password": KEY,
    }  # fmt: skip
    for extra in ({}, {"allowed_hosts": "proxy.example"}, {"allowed_hosts": [""]}):
        monkeypatch.setenv(
            "AIRFLOW_CONN_SENDGRID_DEFAULT", json.dumps(connection | {"extra": extra})
        )
        with pytest.raises(ConfigError, match="allowed_hosts"):
            SendGridHook().get_conn()
    form = {"region": "us", "allowed_hosts": None}  # as Airflow's form stores what was left empty
    monkeypatch.setenv(
        "AIRFLOW_CONN_SENDGRID_DEFAULT", json.dumps(connection | {"host": None, "extra": form})
    )
    SendGridHook().get_conn().close()
    connection["extra"] = {"allowed_hosts": ["PROXY.example"]}
    monkeypatch.setenv("AIRFLOW_CONN_SENDGRID_DEFAULT", json.dumps(connection))
    SendGridHook().get_conn().close()
