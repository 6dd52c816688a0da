"""The page of all syncs over HTTP: their order, their numbers, and which buttons are for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.api_fastapi.app import init_auth_manager

from contact_sync.airflow_edge.seen_dags import SeenDag
from contact_sync.config.files import read_definition, read_definitions
from contact_sync.web import syncs_page
from tests.dags.test_pages import client, loaded, text
from tests.support.world import World

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("no_dags_seen")]
CAUSE = "SendGrid has no list 'B2CORE clients': create it"
SECOND = """
    WITH made AS (
        INSERT INTO contact_sync.sync (name, watermark)
        SELECT %s, watermark FROM contact_sync.sync WHERE name = 'demo'
        RETURNING sync_id
    )
    INSERT INTO contact_sync.run
        (sync_id, epoch, kind, state, holder, definition_hash, plan, result, cause, started_at,
         finished_at)
    SELECT made.sync_id, 1, kind, %s, holder, '', plan, result, %s, started_at, finished_at
    FROM contact_sync.run, made"""


def defined(monkeypatch: pytest.MonkeyPatch, **more: dict[str, Any]) -> None:
    """The demo's definition, and others that differ from it in a few keys."""
    found = read_definitions()
    demo = found.by_name["demo"]
    by_name = {"demo": demo} | {
        name: demo.model_copy(update={"name": name, "caption": name.title(), **changes})
        for name, changes in more.items()
    }
    monkeypatch.setattr(syncs_page, "read_definitions", lambda: replace(found, by_name=by_name))


def test_what_needs_a_person_is_first_with_its_cause(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed sync before one that is degraded, disabled or new; each with its numbers."""
    defined(monkeypatch, off={"enabled": False}, new={}, broken={})
    loaded(connected)
    connected.state(SECOND, "broken", "failed", CAUSE)
    next_run = datetime(2030, 1, 2, 3, tzinfo=UTC)
    dag = SeenDag(is_paused=False, next_run=next_run)
    monkeypatch.setattr(syncs_page, "seen_dags", lambda _ids: {"contact_sync_demo": dag})
    said = text("admin", "/syncs")
    places = [
        said.index(f">{caption}</a></h2>") for caption in ("Broken", "Demo brokerage", "Off", "New")
    ]
    assert places == sorted(places)
    assert CAUSE.replace("'", "&#39;") in said
    demo = said[places[1] : places[2]]
    for part in (
        '<span class="tag warn">degraded</span>',
        "1 client is rejected",
        "4 of 6 clients",
        "2 Jan 2030, 03:00:00 UTC",
        'aria-label="The last 1 run, newest last. Sent: 4. Rejected: 1."',
        "<dt>List</dt><dd>B2CORE clients</dd>",
        "at most <strong>",
    ):
        assert part in demo
    assert "Its first run loads every client." in said
    assert "It sends nothing." in said


def test_a_plan_that_waits_for_a_person_has_its_links(connected: World) -> None:
    """To the plan, and to Airflow's question; before anything else that may be wrong."""
    run_id = loaded(connected)
    connected.state(
        """UPDATE contact_sync.run SET state = 'running', finished_at = NULL, approval = %s::jsonb
           WHERE run_id = %s""",
        '{"why": [{"limit": "removals", "n": 1800, "allowed": 50}], "decision": null}', run_id,
    )  # fmt: skip
    said = text("admin", "/syncs")
    for part in (
        '<span class="tag warn">waits for approval</span>',
        "1,800 contacts would be removed, the limit is 50.",
        f'href="/syncs/demo/runs/{run_id}/plan"',
        "/dags/contact_sync_demo/runs/manual__1/required_actions",
    ):
        assert part in said


def test_buttons_are_for_those_who_may_and_others_read_why(connected: World) -> None:
    """Airflow's own roles: viewer, user, op and admin."""
    said = text("viewer", "/syncs")
    assert "<form" not in said
    assert "Airflow doesn&#39;t let you start, pause or cancel runs of this DAG." in said.replace(
        "doesn't", "doesn&#39;t"
    )
    for role in ("user", "op", "admin"):
        said = text(role, "/syncs")
        for button in ("Run now", "Full run", "Dry run", "Pause", "Check set-up"):
            assert f">{button}<span" in said, role
        assert "let you" not in said
        assert ('href="/syncs/demo/mapping"' in said) == (role != "user")


@pytest.mark.parametrize(
    ("action", "form"),
    [("start", {"kind": "full"}), ("pause", {"paused": "true"}), ("cancel", {"run_id": "x"})],
)
def test_what_a_button_does_is_refused_without_it(
    connected: World, action: str, form: dict[str, str]
) -> None:
    """To a viewer, to nobody, to a form of another site, and where nothing of it makes sense."""
    path = f"/syncs/demo/{action}"
    assert client(None).post(path, data=form).status_code == 401
    refused = client("viewer").post(path, data=form)
    assert refused.status_code == 403
    assert "let you" in refused.text
    elsewhere = client("admin").post(
        path, data=form, headers={"Origin": "https://elsewhere.example"}
    )
    assert "from another site" in elsewhere.text
    assert client("admin").post(path, data={"kind": "all"}).status_code == 422
    if action == "cancel":
        assert "is over already" in client("admin").post(path, data=form).text


def test_who_may_not_pause_is_offered_the_rest(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each button by its own permission."""
    manager: Any = init_auth_manager()
    monkeypatch.setattr(
        type(manager),
        "is_authorized_dag",
        lambda _self, *, method, access_entity=None, **_: (
            method != "PUT" or access_entity is not None
        ),
    )
    said = text("admin", "/syncs")
    assert "Run now" in said
    assert ">Pause<" not in said
    assert "let you pause runs" in said


def test_a_paused_dag_is_unpaused_by_its_button(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says so, once its first run has gone well."""
    connected.add("ann@example.com")
    connected.definition = read_definition("demo")
    connected.run("full")
    dag = SeenDag(is_paused=True, next_run=None, unfinished="manual__1")
    monkeypatch.setattr(syncs_page, "seen_dags", lambda _ids: {"contact_sync_demo": dag})
    said = text("admin", "/syncs")
    assert '<span class="tag busy">paused</span>' in said
    assert "none: its DAG is paused" in said
    assert 'name="paused" value="false">Unpause<' in said
    assert 'name="run_id" value="manual__1"' in said
