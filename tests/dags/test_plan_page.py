"""A plan's page, and its run's, in a real browser: what is asked, whom it changes, what was
answered, and what may be started from there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from contact_sync.base.vocabulary import Answer, RunKind
from contact_sync.lookup.plan_of_run import plan_of_run
from contact_sync.run.approve_plan import decide
from contact_sync.run.context import open_run
from contact_sync.run.finish_run import finish_run
from contact_sync.run.release_lease import release_lease
from contact_sync.run.start_run import start_run
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.runs import run_of_id
from tests.dags.test_pages import client, text
from tests.support.consents import PLAIN, opt_out_column
from tests.support.rendered import Glance, Show
from tests.support.steps import go_on
from tests.support.world import World

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("no_dags_seen")]

FEW: dict[str, Any] = {"changes": {"contacts": 2, "share": 0.0}}
ASKED = "4 contacts would be changed, the limit is 2"


def waiting(world: World) -> int:
    """A plan of four changes, where two are allowed, that waits; returns its run."""
    world.redefine(limits=FEW)
    world.add_clients(4)
    world.run()
    world.sql("UPDATE b2core.clients SET first_name = 'All'")
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="exclude")
    return run_id


def test_T03_a_plan_that_waits_shows_whom_it_changes_and_how(
    connected: World, shown: Show, glance: Glance
) -> None:
    """Limits, fields, samples with what SendGrid has and what is staged, the runs before; values
    for who may see them. No value is stored."""
    run = f"/syncs/demo/runs/{waiting(connected)}"
    page = f"{run}/plan"
    assert client(None).get(page).status_code == 401
    admin, viewer = shown("admin", page), glance("viewer", page)
    for said in (admin, viewer):
        assert "It waits for a person. Nothing is sent before the answer." in said
        assert f"{ASKED}." in said
        assert "contacts changed 4 2 above" in said
        assert "of 4 of 4 changed clients" in said
        assert "first_name 4" in said
        assert said.links["Client by client"] == f"{run}/changes"
    assert "You may decide." in admin
    assert "may decide; you may not." in viewer
    assert admin.text.count("first_name: Zoë → All") == 4
    for value in ("Zoë", "→ All", "client1@"):
        assert value not in viewer
    assert connected.state("SELECT count(before_after) FROM contact_sync.change") == [(0,)]
    newest = client("viewer").get("/syncs/demo/plan", follow_redirects=False)
    assert newest.headers["location"] == page


@pytest.mark.parametrize(
    ("answer", "by", "said"),
    [
        pytest.param(Answer.APPROVED, "ann", "approved by ann", marks=pytest.mark.slow),
        pytest.param(Answer.REFUSED, "ann", "refused by ann", marks=pytest.mark.slow),
        (Answer.EXPIRED, "nobody within 24 hours", "answered by nobody within 24 hours"),
    ],
)
def test_T03_what_was_answered_is_on_every_page_and_the_next_run_goes_on(
    connected: World, glance: Glance, answer: Answer, by: str, said: str
) -> None:
    """While it is asked, after the answer, and after the run that made it out of date."""
    run_id = waiting(connected)
    page = f"/syncs/demo/runs/{run_id}"
    asked, everything = glance("admin", page), glance("admin", "/syncs")
    assert f"What to do next Approve or refuse the plan: {ASKED}." in asked
    assert f"Approval waiting for a person {ASKED}" in asked
    assert "to send 4 confirmed 0 rejected by SendGrid 0 pending 0 not sent yet 4" in asked
    assert "waits for approval" in everything
    assert f"{ASKED}. The plan" in everything
    assert everything.links["The plan"] == f"{page}/plan"
    with connected.sync() as sync:
        decide(sync, open_run(sync, run_id), answer, by)
        if answer is Answer.APPROVED:
            go_on(sync, run_id, after="plan", before="finish")
            finish_run(sync, open_run(sync, run_id))
        else:
            release_lease(sync, run_id, f"The plan was {said}; nothing was sent")
    after = glance("admin", page)
    assert f"Approval {said} {ASKED}" in after
    assert f"The plan was {said}." in glance("admin", f"{page}/plan")
    if answer is Answer.APPROVED:
        assert "to send 4 confirmed 4 rejected by SendGrid 0 pending 0" in after
        assert "healthy" in glance("admin", "/syncs")
        return
    assert f"Why it failed: The plan was {said}; nothing was sent What to do next" in after
    assert f"The plan was {said}, so nothing was sent. Correct B2CORE or the definition's" in after
    assert "confirmed 0 rejected by SendGrid 0 pending 0 not sent yet 4" in after
    assert f"failed The plan was {said}; nothing was sent. Run {run_id}" in glance(
        "admin", "/syncs"
    )
    newer = connected.run(approve=True)["id"]
    assert f"Done: run {newer} (" in glance("admin", page)
    assert f"Out of date: run {newer} has read B2CORE since then" in glance("admin", f"{page}/plan")


def test_T03_a_run_that_ends_while_it_asks_waits_for_nobody(
    connected: World, glance: Glance
) -> None:
    """Its page says so, whether a person marked it or not."""
    run_id = waiting(connected)
    with connected.sync() as sync:
        release_lease(sync, run_id, None)
    said = glance("viewer", f"/syncs/demo/runs/{run_id}")
    assert "Approval nobody answered before the run ended 4 contacts would be changed" in said
    assert "waiting for a person" not in said
    assert "It waits for a person" not in glance("viewer", f"/syncs/demo/runs/{run_id}/plan")


def test_T03_a_dry_run_says_what_a_real_run_would_ask(connected: World, glance: Glance) -> None:
    """And who may start runs gets the buttons."""
    connected.redefine(limits=FEW)
    connected.add_clients(4)
    connected.run()
    connected.sql("UPDATE b2core.clients SET first_name = 'All'")
    page = f"/syncs/demo/runs/{connected.run(dry_run=True)['id']}/plan"
    said = glance("admin", page)
    assert "A real run would ask a person, because 4 contacts would be changed" in said
    assert "Some that are changed" in said
    assert "Some contacts that would go" not in said
    assert "Start a dry run" in said
    assert "Start a dry run" not in glance("viewer", page)


def test_T03_held_removals_have_the_button_that_starts_the_right_run(
    connected: World, shown: Show, glance: Glance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With exactly their number; not for who may not start runs, and not from another site."""
    connected.redefine(limits={"removals": {"contacts": 1, "share": 0.0}})
    connected.add_clients(4)
    connected.run()
    connected.sql("DELETE FROM b2core.clients WHERE id > 1")
    run = f"/syncs/demo/runs/{connected.run('full')['id']}"
    said = shown("admin", f"{run}/plan")
    assert "3 absent clients are held: gone from B2CORE, and too many at once" in said
    assert said.links["Who they are"] == f"{run}/changes?kind=absent"
    assert "clients/2" in said.links["2"]
    assert "Start a run that removes exactly 3" in said
    going = said.text[said.text.index("Some contacts that would go") :]
    assert going.count("the client is gone from B2CORE held: it stays until") == 3
    assert "client2@example.com" in going
    assert "first_name: Zoë" in going
    viewer = glance("viewer", f"{run}/plan")
    assert viewer.text.count("held: it stays until") == 3
    for hidden in ("client2@", "Zoë", "Start a run that removes"):
        assert hidden not in viewer
    told = glance("admin", run)
    assert "Clients absent from B2CORE: 3; none is removed. If they are really gone" in told
    books = "4 confirmed + 0 pending + 0 rejected + 0 excluded"
    assert f"1 client in B2CORE + 3 held as absent = {books}." in told
    assert told.links["The plan, and the button"] == f"{run}/plan"
    assert "degraded 3 clients are absent from B2CORE" in glance("admin", "/syncs")
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
    said = glance("admin", f"{run}/plan")
    assert f"Out of date: run {newer} has read B2CORE" in said
    assert said.links[f"run {newer}"] == f"/syncs/demo/runs/{newer}"
    assert "Start a run that removes" not in said
    assert "Out of date" not in glance("admin", f"/syncs/demo/runs/{newer}/plan")
    assert f"Done: run {newer} (" in glance("admin", run)


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
