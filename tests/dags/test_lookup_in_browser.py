"""In a real Airflow, with a real browser: look a client up, and send rejected ones again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from contact_sync.base import words
from local.airflow_stack.settings import LOGIN
from local.b2core_demo.rows import add_client, add_phone
from local.demo.sync import DAG_ID
from local.stack.databases import STATE
from local.stack.system import Stack
from tests.support import connections
from tests.support.accessible import barriers

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]
SYNC = "/contact-sync/syncs/demo"


@pytest.fixture
def two_of_one_address(stack: Stack) -> Iterator[list[int]]:
    """Two newcomers that share an address; no run has seen them, and none will."""
    with connections.connection(stack.databases.b2core_url) as connection:
        ids = [add_client(connection, email=email) for email in ("A@new.example", "a@New.example")]
        add_phone(connection, ids[1], "+41790000001")
    yield ids
    with connections.connection(stack.databases.b2core_url) as connection:
        connection.execute("DELETE FROM b2core.clients WHERE id = ANY(%s)", [ids])


@pytest.fixture
def paused(page: Page, stack: Stack) -> Iterator[None]:
    """The DAG's runs wait; those that the test has started are gone afterwards."""
    dag = f"{stack.url}/api/v2/dags/{DAG_ID}"
    assert page.request.patch(dag, data={"is_paused": True}).ok
    yield
    for run in runs(page, stack):
        if run["state"] == "queued":
            assert page.request.delete(f"{dag}/dagRuns/{run['dag_run_id']}").ok
    assert page.request.patch(dag, data={"is_paused": False}).ok


def runs(page: Page, stack: Stack) -> list[dict[str, Any]]:
    """The DAG's runs, newest first, as Airflow tells them."""
    url = f"{stack.url}/api/v2/dags/{DAG_ID}/dagRuns?order_by=-run_after"
    return list(page.request.get(url).json()["dag_runs"])


def state_rows(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    """What the state database says."""
    with connections.connection(stack.databases.cluster.url(STATE)) as connection:
        return connection.execute(query).fetchall()


def test_a_client_is_looked_up_by_address_and_by_id(
    page: Page, stack: Stack, two_of_one_address: list[int]
) -> None:
    """From the sync page, by keyboard; no address in a URL. Then one that SendGrid has."""
    page.goto(stack.url + SYNC)
    page.get_by_label("Client key, id or e-mail").fill(" A@NEW.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("2 clients match this address")
    assert "new.example" not in page.url.lower()
    old, new = two_of_one_address
    page.get_by_role("link", name=str(old)).click()
    expect(page.locator("main .note").first).to_contain_text(
        f"because client {new}, which is newer"
    )
    page.get_by_role("link", name=f"client {new}").click()
    expect(page.locator("main .note").first).to_contain_text(
        "The next run sends it for the first time."
    )
    expect(page.get_by_role("row", name="phone_number")).to_contain_text("+41790000001")
    ((known, job),) = state_rows(
        stack,
        """SELECT client_id, job_id FROM contact_sync.ledger
           JOIN contact_sync.batch USING (batch_id)
           WHERE ledger.state = 'confirmed' ORDER BY client_id LIMIT 1""",
    )
    page.get_by_label("Client key, id or e-mail").fill(str(known))
    page.get_by_role("button", name="Look up").click()
    expect(page.locator("main .note").first).to_contain_text("SendGrid has confirmed exactly this")
    expect(page.locator("main")).to_contain_text(job)
    page.get_by_role("link", name="Ask SendGrid what it has now").click()
    expect(page.locator("main")).to_contain_text("SendGrid has the contact, on the sync's list")
    assert barriers(page) == []
    assert page.goto(f"{stack.url}{SYNC}/clients/{2**62}").status == 404  # type: ignore[union-attr]
    expect(page.locator("main")).to_contain_text("Neither B2CORE nor this sync knows client")


def test_rejected_clients_as_a_page_a_file_and_a_run(
    page: Page, stack: Stack, paused: None, tmp_path: Path
) -> None:
    """All of them are in the file, nothing in it is a formula; the button starts a run."""
    rows = state_rows(
        stack,
        """SELECT client_id::text, field, reason, detail FROM contact_sync.ledger
           WHERE state = 'rejected' ORDER BY client_id""",
    )
    rejected = {client: f"{field}: {words.reason(why, more)}" for client, field, why, more in rows}
    assert rejected
    page.goto(stack.url + SYNC)
    page.locator(".figures div", has_text="rejected").get_by_role("link").click()
    by_id = page.get_by_role("region", name="Rejected clients by id")
    expect(by_id.locator("tbody tr")).to_have_count(min(100, len(rejected)))
    assert barriers(page) == []
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download as CSV").click()
    downloading.value.save_as(tmp_path / "rejected.csv")
    assert downloading.value.suggested_filename == "rejected-demo.csv"
    found = list(csv.DictReader(io.StringIO((tmp_path / "rejected.csv").read_text("utf-8"))))
    assert {row["client_id"]: f"{row['field']}: {row['reason']}" for row in found} == rejected
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in found for cell in row.values())
    assert all(row["email"] for row in found if row["reason"] == "not valid")
    page.get_by_role("button", name="Retry rejected").click()
    expect(page.get_by_role("status")).to_contain_text("It waits until somebody unpauses the DAG.")
    newest = runs(page, stack)[0]
    assert (newest["state"], newest["run_type"]) == ("queued", "manual")
    assert newest["conf"]["retry_rejected"] is True
    assert newest["triggering_user_name"] == LOGIN
    asked = {"run_id": newest["dag_run_id"]}
    log = page.request.get(f"{stack.url}/api/v2/eventLogs", params=asked).json()
    assert [entry["event"] for entry in log["event_logs"]] == ["trigger_dag_run"]
