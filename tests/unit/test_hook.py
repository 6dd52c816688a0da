"""Airflow connections: both regions, every form, and what is told when they are wrong."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from contact_sync.airflow_edge.handles import postgres_dsn
from contact_sync.airflow_edge.hook import SendGridHook, base_url
from contact_sync.errors import ConfigError

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
    assert base_url(SimpleNamespace(host=host, port=port)) == url


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
    """With the connection to mend."""
    monkeypatch.setenv("AIRFLOW_CONN_SENDGRID_DEFAULT", "sendgrid://api.sendgrid.com")
    with pytest.raises(ConfigError, match="'sendgrid_default' has no password: put the SendGrid"):
        SendGridHook().get_conn()
    works, said = SendGridHook().test_connection()
    assert not works
    assert "API key" in said


@pytest.mark.parametrize(
    ("uri", "dsn"),
    [
        ("postgresql://ann:p%40s%2Fs@db:5433/crm", "postgresql://ann:p%40s%2Fs@db:5433/crm"),
        ("postgres://ann:pw@db/crm?sslmode=require", "postgresql://ann:pw@db/crm?sslmode=require"),
        ("postgres://ann@db/crm?keepalives=1", "postgresql://ann@db/crm"),
    ],
)
def test_a_postgres_connection_becomes_a_libpq_url(
    uri: str, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Special characters and TLS settings survive."""
    monkeypatch.setenv("AIRFLOW_CONN_CRM", uri)
    assert postgres_dsn("crm") == dsn


def test_another_type_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the password."""
    monkeypatch.setenv("AIRFLOW_CONN_CRM", "mysql://ann:s3cret-pw@db/crm")
    with pytest.raises(ConfigError, match="'crm' is of type 'mysql'; it must be") as caught:
        postgres_dsn("crm")
    assert "s3cret" not in str(caught.value)
