"""Airflow's trigger form in a real browser: what it says, and what it refuses."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from local.demo.sync import DAG_ID, SYNC
from local.stack.runs import wait
from local.stack.system import Stack

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600), pytest.mark.xdist_group("airflow")]


def test_choices_that_do_not_go_together_are_refused_in_the_form(page: Page, stack: Stack) -> None:
    """The form stays, says why, and starts the run once it is corrected; dangers are spelt out."""
    before = stack.airflow.api.run_ids(DAG_ID)
    page.goto(f"{stack.url}/dags/{DAG_ID}")
    page.get_by_role("button", name="Trigger").click()
    form = page.get_by_role("dialog")
    start = form.get_by_role("button", name="Trigger", exact=True)
    form.get_by_text("counts against SendGrid's limits").wait_for()
    preview = form.get_by_role("img", name="What a full run would send now")
    expect(preview).to_have_js_property("complete", True)
    assert preview.evaluate("picture => picture.naturalWidth") > 100
    form.get_by_role("checkbox", name="Dry run").press("Space")
    form.get_by_role("button", name="Limits (dangerous)").click()
    form.get_by_text("takes their contacts off the list or deletes them").wait_for()
    unasked = form.get_by_role("checkbox", name="Don't ask")
    unasked.press("Space")
    start.click()
    form.get_by_text("dry_run together with approve_plan").wait_for()
    assert stack.airflow.api.run_ids(DAG_ID) == before

    unasked.press("Space")
    start.press("Enter")  # Airflow's notice of the refusal lies over the button for a moment
    expect(form).to_be_hidden()
    (run_id,) = set(stack.airflow.api.run_ids(DAG_ID)) - set(before)
    assert wait(stack, DAG_ID, run_id, seconds=240) == "success"


def test_a_trial_is_started_from_the_form(page: Page, stack: Stack) -> None:
    """Two clients, a line each; the run looks at these."""
    before = stack.airflow.api.run_ids(DAG_ID)
    two = stack.contact_sync("plan", SYNC, "--sample", "2", "--json")
    ids = [client["client_id"] for client in json.loads(two)["clients"]]
    page.goto(f"{stack.url}/dags/{DAG_ID}")
    page.get_by_role("button", name="Trigger").click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Trial", exact=True).click()
    form.locator("#element_clients").fill("\n".join(map(str, ids)))
    form.get_by_role("button", name="Trigger", exact=True).press("Enter")
    expect(form).to_be_hidden()
    (run_id,) = set(stack.airflow.api.run_ids(DAG_ID)) - set(before)
    assert wait(stack, DAG_ID, run_id, seconds=240) == "success"
    run = stack.status(SYNC)["runs"][0]
    assert (run["kind_reason"], run["books"]["selected"]) == ("trial", 2)
