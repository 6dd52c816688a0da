"""A plan's page, over HTTP: what is asked, whom it changes, and what may be started from it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import RunKind
from contact_sync.lookup.plan_of_run import plan_of_run
from contact_sync.run.start_run import start_run
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.runs import run_of_id
from tests.dags.test_pages import client, text
from tests.support.accessible import assert_everybody_can_use
from tests.support.consents import PLAIN, opt_out_column
from tests.support.steps import go_on
from tests.support.world import World

pytestmark = pytest.mark.airflow

FEW: dict[str, Any] = {"changes": {"contacts": 2, "share": 0.0}}


def waiting(world: World) -> str:
    """A plan of four changes, where two are allowed, that waits; returns its page."""
    world.redefine(limits=FEW)
    world.add_clients(4)
    world.run()
    world.sql("UPDATE b2core.clients SET first_name = 'All'")
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="exclude")
    return f"/syncs/demo/runs/{run_id}/plan"


def test_T03_a_plan_that_waits_shows_whom_it_changes_and_how(connected: World) -> None:
    """Limits, fields, samples with what SendGrid has and what is staged, the runs before; values
    for who may see them. No value is stored."""
    page = waiting(connected)
    assert client(None).get(page).status_code == 401
    admin, viewer = text("admin", page), text("viewer", page)
    for said in (admin, viewer):
        assert "It waits for a person" in said
        assert "4 contacts would be changed, the limit is 2." in said
        numbers = '<td class="n">4</td><td class="n">2</td> <td><span class="tag bad">above'
        assert f"contacts changed</th>{numbers}" in said
        assert "of 4 of 4 changed clients" in said
        assert re.search(r">first_name</a></th><td class=\"n\">4</td>", said)
        assert f'href="{page.removesuffix("/plan")}/changes"' in said
    assert admin.count("first_name: <del>Zoë</del> → <ins>All</ins>") == 4
    for value in ("Zoë", "All</ins>", "client1@"):
        assert value not in viewer
    assert connected.state("SELECT count(before_after) FROM contact_sync.change") == [(0,)]
    newest = client("viewer").get("/syncs/demo/plan", follow_redirects=False)
    assert newest.headers["location"] == page


def test_T03_a_dry_run_says_what_a_real_run_would_ask(connected: World) -> None:
    """And a refused plan what was answered; who may start runs gets the buttons."""
    connected.redefine(limits=FEW)
    connected.add_clients(4)
    connected.run()
    connected.sql("UPDATE b2core.clients SET first_name = 'All'")
    page = f"/syncs/demo/runs/{connected.run(dry_run=True)['id']}/plan"
    said = text("admin", page)
    assert "A real run would ask a person, because 4 contacts would be changed" in said
    assert "Some that are changed" in said
    assert "Some contacts that would go" not in said
    assert "Start a dry run" in said
    assert "Start a dry run" not in text("viewer", page)
    with pytest.raises(FatalError):
        connected.run()


def test_T03_held_removals_have_the_button_that_starts_the_right_run(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With exactly their number; not for who may not start runs, and not from another site."""
    connected.redefine(limits={"removals": {"contacts": 1, "share": 0.0}})
    connected.add_clients(4)
    connected.run()
    connected.sql("DELETE FROM b2core.clients WHERE id > 1")
    run = connected.run("full")
    page = f"/syncs/demo/runs/{run['id']}/plan"
    said = text("admin", page)
    assert "<strong>3 absent clients are held:</strong>" in said
    assert f"{page.removesuffix('/plan')}/changes?kind=absent" in said
    assert "clients/2" in said
    assert "Start a run that removes exactly 3" in said
    going = said[said.index("Some contacts that would go") :]
    assert going.count("<td>the client is gone from B2CORE</td> <td>held: it stays until") == 3
    assert '<td class="long">client2@example.com</td>' in going
    assert "<div>first_name: Zoë</div>" in going
    masked = text("viewer", page)
    assert masked.count("held: it stays until") == 3
    assert "client2@" not in masked
    assert "Zoë" not in masked
    assert "Start a run that removes" not in text("viewer", page)
    assert f'href="{page}">The plan, and the button</a>' in text(
        "admin", page.removesuffix("/plan")
    )
    started: list[dict[str, Any]] = []

    def start(_request: Any, _viewer: Any, _dag_id: str, conf: dict[str, Any]) -> Any:
        started.append(conf)
        return type("Started", (), {"run_id": "manual__1"})

    monkeypatch.setattr("contact_sync.airflow_edge.start_dag_run.start_dag_run", start)

    def post(role: str, **form: str) -> int:
        visitor: TestClient = client(role)
        return visitor.post("/syncs/demo/plan", data=form, follow_redirects=False).status_code

    assert post("viewer", approve_removals="3") == 403
    assert post("admin", approve_removals="3") == 303
    assert post("admin", mode="incremental") == 303
    foreign = {"sec-fetch-site": "cross-site"}
    assert client("admin").post("/syncs/demo/plan", headers=foreign).status_code == 403
    assert [(c["mode"], c.get("approve_removals"), c.get("dry_run")) for c in started] == [
        ("full", 3, None), ("incremental", None, True),
    ]  # fmt: skip
    newer = connected.run("full", approve_removals=3)["id"]
    said = text("admin", page)
    assert (
        f'Out of date: <a href="/syncs/demo/runs/{newer}">run {newer}</a> has read B2CORE' in said
    )
    assert "Start a run that removes" not in said
    assert "Out of date" not in text("admin", f"/syncs/demo/runs/{newer}/plan")


def test_T03_a_plan_names_the_contacts_that_would_go(connected: World, tmp_path: Path) -> None:
    """Of moved, excluded and absent clients: whose, why and what becomes of them, before anything
    is noted in a dry run; `plan --json` has the same without an address."""
    connected.sql_folder = opt_out_column(PLAIN, tmp_path / "sql")
    connected.add_clients(5)
    connected.run()
    connected.edit(1, email="moved@example.com")
    connected.edit(2, last_name="opted out")
    connected.sql("DELETE FROM b2core.clients WHERE id = 3")
    dry = connected.run("full", dry_run=True)["id"]
    page = f"/syncs/demo/runs/{dry}/plan"
    said = text("admin", page)
    for who, why, becomes in (
        ("client1@example.com", "address has changed", "deleted"),
        ("client2@example.com", "is excluded", "taken off the list"),
        ("client3@example.com", "is gone from B2CORE", "stays for now: a client has to be absent"),
    ):
        assert re.search(rf"{who}</td> <td>the client(&#39;s)? {why}</td> <td>{becomes}", said)
    with connected.sync() as sync, StateDatabase(connected.state_url).transaction() as cursor:
        shown = run_of_id(cursor, "demo", dry)
        assert shown
        plan = plan_of_run(sync, shown)
    assert {(row["client_id"], row["reason"]) for row in plan.to_json()["removals"]} == {
        (1, "address_changed"), (2, "excluded"), (3, "gone"),
    }  # fmt: skip
    assert any("client 1: the client's address has changed; deleted" in li for li in plan.lines())
    assert "@" not in str(plan.to_json())
    connected.run()
    assert "Some contacts that would go" not in text("admin", page)


def test_T03_everybody_can_use_the_page(connected: World) -> None:
    """In a real browser, with the pages' own styles; nothing is wider than a narrow window."""
    path = waiting(connected)
    assert_everybody_can_use(client("admin").get(path).text)
