"""The check of a set-up as a page: what it says, to whom, and how much it asks of B2CORE."""

from __future__ import annotations

import pytest

from tests.dags.test_mapping_pages import NO_SENDGRID
from tests.dags.test_pages import client, text
from tests.support.world import World

pytestmark = pytest.mark.airflow

CHECK = "/syncs/demo/check"


def test_the_checklist_shows_what_is_right_and_what_was_left_out(connected: World) -> None:
    """As `validate --connect` does, without reading every client; the button leads there."""
    connected.add("ann@example.com")
    assert f'action="{CHECK}"' in text("admin", "/syncs/demo")
    said = client("admin").post(CHECK).text
    for part in (
        "What was looked at is right",
        "every key is right",
        "it looks at every table that clients.sql reads",
        "whether the statements give every client once was not looked at",
        "it works and may read",
        "fields are mapped",
        "sendgrid, 4 slots",
    ):
        assert part in said
    assert "ann@" not in said


def test_all_that_is_wrong_is_named_with_its_fix(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One side that is wrong doesn't hide the other."""
    monkeypatch.setenv("AIRFLOW_CONN_SENDGRID_DEFAULT", NO_SENDGRID.replace("SG.x", "SG x"))
    monkeypatch.delenv("AIRFLOW_CONN_CONTACT_SYNC_STATE")
    connected.sql("ALTER TABLE b2core.clients RENAME COLUMN first_name TO given_name")
    said = client("admin").post(CHECK).text
    for part in (
        "Airflow has no connection &#39;contact_sync_state&#39;",
        "API key holds white space",
        "clients.sql",
        "3 things are wrong",
    ):
        assert part in said, said


def test_who_may_not_start_runs_has_no_button_and_is_refused(connected: World) -> None:
    """And nobody is, by a form of another site."""
    assert CHECK not in text("viewer", "/syncs/demo")
    refused = client("viewer").post(CHECK)
    assert refused.status_code == 403
    assert "whoever may start runs" in refused.text
    elsewhere = client("admin").post(CHECK, headers={"Origin": "https://elsewhere.example"})
    assert "from another site" in elsewhere.text
    assert client(None).post(CHECK).status_code == 401
