"""The pages over HTTP: who gets in, what shows, and what is said when something is wrong.

Airflow's own auth manager decides; how it looks in a browser is in test_pages_in_browser.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from airflow.api_fastapi.app import init_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi.testclient import TestClient

from contact_sync.airflow_edge import failures, tasks
from contact_sync.base.errors import RetryableError
from contact_sync.base.vocabulary import RunKind
from contact_sync.base.watching import WatchState
from contact_sync.config.files import read_definition, read_definitions
from contact_sync.run.in_one_process import run_sync
from contact_sync.run.start_run import start_run
from contact_sync.state.database import SCHEMA_VERSION, StateDatabase
from contact_sync.state.runs import Options
from contact_sync.state.watches import Sight, note
from contact_sync.web import seen_sync, sync_page, syncs_page
from contact_sync.web.app import the_app
from tests.support.old_things import grow_old, pruned
from tests.support.rendered import Glance, Show
from tests.support.world import World

pytestmark = pytest.mark.airflow

DAG_RUN = "DAG run contact_sync_demo manual__1, started 2026-11-26"
DEAD = "postgresql://nobody@127.0.0.1:9/none"
"""The state database of who can't reach it."""


def client(role: str | None) -> TestClient:
    """A visitor with this role in Airflow; None = without a token."""
    manager = init_auth_manager()
    headers = {}
    if role:
        token = manager.generate_jwt(SimpleAuthManagerUser(username=role, role=role))
        headers = {"Authorization": f"Bearer {token}"}
    return TestClient(the_app(), headers=headers)


def text(role: str, path: str, status: int = 200) -> str:
    """The page as this role sees it."""
    answer = client(role).get(path)
    assert answer.status_code == status, answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return " ".join(answer.text.split())


def loaded(world: World) -> int:
    """A first load with a rejected and two sharing clients, by a DAG run; returns the run's id."""
    world.seed()
    with world.sync() as sync:
        return run_sync(sync, RunKind.FULL, holder=DAG_RUN, options=Options(reason="first load"))


PAGES = ["/syncs", "/syncs/demo", "/syncs/demo/runs/1", "/report?dag_id=x&run_id=y"]


@pytest.mark.parametrize("path", PAGES)
def test_without_a_token_nothing_shows(connected: World, path: str) -> None:
    """401 in words, and no name of a sync; a made-up token doesn't help."""
    answer = client(None).get(path)
    assert answer.status_code == 401
    assert "Please log in" in answer.text
    assert "demo" not in answer.text
    forged = {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."}
    assert client(None).get(path, headers=forged).status_code in (401, 403)


@pytest.mark.parametrize("path", PAGES[1:])
def test_whose_permissions_lack_the_dag_sees_nothing_of_it(
    connected: World, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """403, the same for a sync that exists and one that doesn't."""
    manager: Any = init_auth_manager()
    monkeypatch.setattr(type(manager), "is_authorized_dag", lambda _self, **_asked: False)
    assert "Not permitted" in text("viewer", path, 403)
    assert "Not permitted" in text("viewer", "/syncs/not-there", 403)
    said = text("viewer", "/syncs")
    assert "Demo brokerage" not in said
    assert "1 more sync: Airflow doesn't let you see" in said


def test_the_page_of_a_sync_shows_how_it_stands(connected: World) -> None:
    """Before the first run, after it, and to somebody who may only look."""
    assert "has not run yet" in text("admin", "/syncs/demo")
    run_id = loaded(connected)
    said = text("admin", "/syncs/demo")
    for part in ("Demo brokerage", "B2CORE clients", "<dt>confirmed</dt><dd>4</dd>", "<svg"):
        assert part in said
    assert f'href="/syncs/demo/runs/{run_id}"' in said
    assert 'action="/syncs/demo/clients"' in said
    assert "Trigger in Airflow" in said
    assert "Trigger in Airflow" not in text("viewer", "/syncs/demo")


def test_a_schedule_is_shown_with_its_time_zone(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of Airflow, in which it reads the schedule; also where one is entered."""
    definition = read_definition("demo").model_copy(update={"schedule": "0 6 * * *"})
    found = read_definitions()
    monkeypatch.setattr(
        seen_sync, "read_definitions", lambda: replace(found, by_name={"demo": definition})
    )
    assert "<dt>Schedule</dt><dd>0 6 * * * in UTC</dd>" in text("admin", "/syncs/demo")
    definition = definition.model_copy(update={"schedule": "changes"})
    loaded(connected)
    with StateDatabase(connected.state_url).transaction() as cursor:
        note(cursor, "demo", Sight(WatchState.COUNTS, tables=["b2core.clients"]))
    said = text("admin", "/syncs/demo")
    assert "<dt>Schedule</dt><dd>with changes in B2CORE, at most every 10 s" in said
    assert "<dt>Changes are noticed</dt><dd>by PostgreSQL&#39;s counts of rows written" in said


def test_a_runs_report_says_what_it_did(connected: World) -> None:
    """Counts, books, jobs, reasons with clients, and the next thing to do."""
    run_id = loaded(connected)
    said = text("admin", f"/syncs/demo/runs/{run_id}")
    for part in (
        "first load",
        "6 clients in B2CORE = 4 confirmed + 0 pending + 1 rejected + 1 excluded",
        "a newer client has the same address and represents it",
        "email: not valid",
        'href="/syncs/demo/clients/6"',
        'href="/syncs/demo/rejected"',
        "Rejected clients: 1. Correct them in B2CORE",
        "upsert (JSON)",
    ):
        assert part in said
    assert "has no run 99" in text("admin", "/syncs/demo/runs/99", 404)


def test_addresses_are_masked_for_who_may_not_read_the_connection(connected: World) -> None:
    """A rejected client that has a contact: its address shows in full to an administrator only."""
    connected.seed()
    connected.run()
    connected.refuse("client1@example.com")
    connected.edit(1, first_name="Refused")
    run_id = connected.run()["id"]
    page = f"/syncs/demo/runs/{run_id}"
    assert "client1@example.com" in text("admin", page)
    masked = text("viewer", page)
    assert "c***@e***.com" in masked
    assert "client1@example.com" not in masked


def test_a_failed_run_says_why_and_what_has_been_sent(connected: World) -> None:
    """The cause, the fix, and that a new run continues; markup in a cause is only text."""
    run_id = loaded(connected)
    cause = "SendGrid <script>alert(1)</script> refused: fix the key"
    connected.state(
        "UPDATE contact_sync.run SET state = 'failed', cause = %s WHERE run_id = %s", cause, run_id
    )
    said = text("admin", f"/syncs/demo/runs/{run_id}")
    assert "SendGrid &lt;script&gt;alert(1)&lt;/script&gt; refused" in said
    assert "<script>" not in said
    assert "continues from the same state" in said
    assert "<dt>confirmed</dt><dd>4</dd>" in said
    assert "failed: 4 contacts confirmed" in text("admin", "/syncs/demo")  # of the chart's bar


def test_the_page_of_a_running_run_follows_it_until_told_not_to(connected: World) -> None:
    """With what it is at."""
    connected.seed()
    with connected.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="command line box:1")
    page = f"/syncs/demo/runs/{run_id}"
    said = text("viewer", page)
    assert '<main id="content" tabindex="-1" data-refresh="5">' in said
    assert "It checks the setup and selects clients." in said
    assert "data-refresh" not in text("viewer", f"{page}?refresh=off")


def test_another_dag_has_no_report_and_a_dag_run_that_is_not_there_is_told(
    connected: World,
) -> None:
    """The tab is on every DAG's runs: Airflow can't limit it to some."""
    assert "Not a contact sync" in text("admin", "/report?dag_id=other&run_id=x")
    assert "has no run" in text("admin", "/report?dag_id=contact_sync_demo&run_id=x", 404)
    assert "makes no sense" in text("admin", "/syncs/demo/runs/x", 422)
    assert "There is no sync" in text("admin", "/syncs/other", 404)
    assert "There is no such page" in client("admin").get("/elsewhere").text


def test_a_connection_that_is_missing_is_told_with_the_mend(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where to add it."""
    monkeypatch.delenv("AIRFLOW_CONN_CONTACT_SYNC_STATE")
    assert "Add it under Admin &gt; Connections" in text("admin", "/syncs/demo/runs/1", 503)
    assert "Add it under Admin &gt; Connections" in text("admin", "/syncs")


def test_a_schema_that_is_too_old_is_told_with_the_command(connected: World) -> None:
    """As every step does."""
    connected.state("UPDATE contact_sync.alembic_version SET version_num = '0001'")
    try:
        assert "python -m contact_sync migrate" in text("admin", "/syncs/demo/runs/1", 503)
    finally:
        connected.state("UPDATE contact_sync.alembic_version SET version_num = %s", SCHEMA_VERSION)


def test_an_error_that_nobody_foresaw_shows_no_value(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries put values into their messages."""

    def broken(*_arguments: Any) -> None:
        raise ValueError("john@example.com")

    monkeypatch.setattr(sync_page, "sync_rows", broken)
    said = text("admin", "/syncs/demo", 500)
    assert "Unforeseen ValueError" in said
    assert "john" not in said


def test_a_broken_definition_shows_its_file_and_error(
    connected: World, shown: Show, glance: Glance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a real browser. The others go on."""
    (tmp_path / "bad.yaml").write_text("name: bad\ncolour: red\n", encoding="utf-8")
    monkeypatch.setattr(syncs_page, "read_definitions", lambda: read_definitions(tmp_path))
    said = shown("viewer", "/syncs")
    assert "Broken definition: bad.yaml" in said
    assert "colour" in said
    assert "Its sync doesn't run. The others go on." in said
    manager: Any = init_auth_manager()
    monkeypatch.setattr(type(manager), "is_authorized_view", lambda _self, **_asked: False)
    assert "bad.yaml" not in glance("viewer", "/syncs")  # as little as Airflow's import errors


def test_what_the_last_try_meets_becomes_the_runs_cause(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not what an earlier try met: it may still go well."""
    connected.definition = read_definition("demo")
    with connected.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder=DAG_RUN)
    for tries, cause in ((1, None), (4, "SendGrid answered 503")):
        ids = {"dag_id": "contact_sync_demo", "try_number": tries, "max_tries": 3}
        instance = type("TaskInstance", (), ids)
        monkeypatch.setattr(failures, "get_current_context", lambda ti=instance: {"ti": ti})
        with pytest.raises(RetryableError), tasks.working("demo", run_id):
            raise RetryableError("SendGrid answered 503")
        (row,) = connected.state("SELECT cause FROM contact_sync.run WHERE run_id = %s", run_id)
        assert row == (cause,)


def test_L03_the_page_of_a_run_whose_report_is_gone_says_so(connected: World) -> None:
    """Its times stay; that it has no plan isn't told as if it had failed."""
    run_id = loaded(connected)
    connected.run()
    grow_old(connected, 400)
    assert pruned(connected)["reports"] == 1
    said = text("admin", f"/syncs/demo/runs/{run_id}")
    assert "What this run planned and did was deleted on" in said
    assert "What has been sent" not in said
    assert "What has been sent" in text("admin", f"/syncs/demo/runs/{run_id + 1}")
