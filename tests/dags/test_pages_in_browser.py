"""The pages in Airflow's UI in a real browser: where they show up, themes, keyboard, permissions.

What they say is tested over HTTP, in test_pages.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

from local.airflow_stack.settings import LOGIN, PASSWORD, VIEWER
from local.browser.pages import choose_theme, enter_as, open_report, open_syncs, ready_frame
from local.demo.sync import DAG_ID, SYNC
from local.stack.runs import task_states, wait
from local.stack.system import Stack
from tests.support.accessible import barriers

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600), pytest.mark.xdist_group("airflow")]

WAIT_MS = 30_000
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(22, 29, 45)"


@dataclass
class Visit:
    """A page of somebody who has logged in, and what the browser complained about."""

    page: Page
    token: str
    url: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note errors of the console, and requests that leave this machine's Airflow."""
        own = (self.url, "data:", "blob:")
        page, note = self.page, self.complaints.append
        page.on("console", lambda said: note(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: note(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(own) else note(asked.url))


def visit(browser: Browser, stack: Stack, login: str, password: str, theme: str = "light") -> Visit:
    """Enter as somebody, with Airflow's theme chosen."""
    context: BrowserContext = browser.new_context(reduced_motion="reduce")
    token = enter_as(context, stack.url, login, password)
    choose_theme(context, theme)
    context.set_default_timeout(WAIT_MS)
    found = Visit(context.new_page(), token, stack.url)
    found.watch()
    return found


@pytest.fixture(scope="module")
def dag_run(stack: Stack) -> str:
    """The DAG run of the first load."""
    runs = stack.airflow.api.runs(DAG_ID)
    return str(next(r["dag_run_id"] for r in runs if r["conf"].get("reason") == "first load"))


def background(frame: Frame) -> str:
    """The colour behind the text."""
    return str(frame.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_the_pages_are_where_a_data_engineer_looks(
    browser: Browser, stack: Stack, dag_run: str
) -> None:
    """The sync page in the navigation, the report as a tab on the run; links lead back."""
    admin = visit(browser, stack, LOGIN, PASSWORD)
    page = admin.page
    page.goto(f"{stack.url}/dags/{DAG_ID}/runs/{dag_run}")
    page.get_by_role("link", name="Sync report").click()
    report = ready_frame(page, "Sync report")
    assert report.locator("h1").inner_text().endswith(": full")
    assert report.get_by_role("table", name="Steps of the DAG run").is_visible()
    assert background(report) == LIGHT
    assert barriers(report) == []

    page.get_by_role("link", name="Syncs").click()
    syncs = ready_frame(page, "Syncs")
    assert syncs.get_by_role("img", name="newest last. Sent: ").is_visible()
    syncs.get_by_text("More for").click()
    assert barriers(syncs) == []
    page.set_viewport_size({"width": 400, "height": 800})
    assert barriers(syncs) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    syncs.get_by_role("link", name="Trigger in Airflow").click()
    page.wait_for_url(f"{stack.url}/dags/{DAG_ID}")  # not inside the frame
    assert admin.complaints == []
    page.context.close()


def test_who_may_only_look_cannot_trigger_and_the_dark_theme_is_followed(
    browser: Browser, stack: Stack, dag_run: str
) -> None:
    """No button; Airflow refuses the request too. No address shows. A task marks its job."""
    viewer = visit(browser, stack, VIEWER, VIEWER, theme="dark")
    syncs = open_syncs(viewer.page, stack.url)
    assert syncs.get_by_role("link", name="Trigger").count() == 0
    assert syncs.get_by_role("link", name="DAG in Airflow").is_visible()
    assert syncs.get_by_role("button").count() == 0
    assert "let you start, pause or cancel runs" in syncs.locator("main").inner_text()
    assert background(syncs) == DARK
    assert barriers(syncs) == []
    viewer.page.set_viewport_size({"width": 400, "height": 800})
    assert barriers(syncs) == []
    viewer.page.set_viewport_size({"width": 1440, "height": 900})
    viewer.page.evaluate("localStorage.setItem('theme', 'light')")
    syncs.wait_for_function(f"getComputedStyle(document.body).backgroundColor === '{LIGHT}'")

    report = open_report(viewer.page, stack.url, DAG_ID, dag_run, "send_batch/mapped/0")
    assert report.get_by_role("row").filter(has_text="this task").count() == 1
    assert "@" not in report.locator("main").inner_text()
    assert background(report) == DARK
    assert barriers(report) == []
    assert viewer.complaints == []
    api = f"{stack.url}/api/v2/dags/{DAG_ID}/dagRuns"
    token = {"Authorization": f"Bearer {viewer.token}"}
    refused = requests.post(api, json={"logical_date": None}, headers=token, timeout=30)
    assert refused.status_code == 403
    viewer.page.context.close()


@pytest.fixture
def unpaused_again(stack: Stack) -> Iterator[None]:
    """The DAG isn't paused afterwards, whatever happened."""
    yield
    stack.airflow.api.unpause(DAG_ID)


@pytest.mark.usefixtures("unpaused_again")
def test_the_buttons_of_a_sync_pause_start_and_cancel(browser: Browser, stack: Stack) -> None:
    """By keyboard; Airflow does it, notes who it was, and the page says what is so then."""
    admin = visit(browser, stack, LOGIN, PASSWORD)
    page, api = admin.page, f"{stack.url}/api/v2"
    page.goto(f"{stack.url}/contact-sync/syncs")
    page.get_by_text("More for").press("Enter")
    page.get_by_role("button", name="Pause of").press("Enter")
    status = page.get_by_role("status")
    expect(status).to_contain_text("The DAG is paused")
    assert page.request.get(f"{api}/dags/{DAG_ID}").json()["is_paused"] is True
    page.get_by_role("link", name="Full run").press("Enter")
    expect(page.locator("main")).to_contain_text("A full run now would send about ")
    assert barriers(page) == []
    page.get_by_role("button", name="Start the full run").press("Enter")
    expect(status).to_contain_text("It waits until somebody unpauses the DAG.")
    newest = page.request.get(f"{api}/dags/{DAG_ID}/dagRuns?order_by=-run_after").json()
    started = newest["dag_runs"][0]
    assert (started["state"], started["conf"]["mode"]) == ("queued", "full")
    assert barriers(page) == []
    page.get_by_role("button", name="Cancel the DAG run").press("Enter")
    expect(status).to_contain_text("The run is being cancelled")
    run = f"{api}/dags/{DAG_ID}/dagRuns/{started['dag_run_id']}"
    log = page.request.get(f"{api}/eventLogs?dag_id={DAG_ID}&order_by=-id&limit=3").json()
    done = [(entry["event"], entry["owner"]) for entry in log["event_logs"]]
    assert done == [(what, LOGIN) for what in ("patch_dag_run", "trigger_dag_run", "patch_dag")]
    page.get_by_role("button", name="Unpause").press("Enter")
    expect(status).to_contain_text("The DAG isn't paused any more")
    assert wait(stack, DAG_ID, started["dag_run_id"], seconds=240) == "success"
    states = task_states(stack, DAG_ID, started["dag_run_id"])  # it had not begun, and never does
    assert states.pop("release_lease").startswith("success")
    assert set(states.values()) == {"skipped"}
    assert page.request.delete(run).ok
    assert admin.complaints == []
    page.context.close()


def test_a_page_alone_is_usable_by_keyboard_and_on_a_narrow_screen(
    browser: Browser, stack: Stack
) -> None:
    """The first Tab leads past the navigation; nothing is wider than the window."""
    admin = visit(browser, stack, LOGIN, PASSWORD)
    page = admin.page
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{stack.url}/contact-sync/syncs/{SYNC}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#content"
    assert barriers(page) == []
    page.get_by_label("Client key, id or e-mail").focus()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    assert admin.complaints == []
    page.context.close()


def test_without_a_login_there_is_nothing_to_see(stack: Stack, dag_run: str) -> None:
    """401 from the real server, before anything else is looked at."""
    for path in ("/syncs", f"/syncs/{SYNC}", f"/report?dag_id={DAG_ID}&run_id=x"):
        answer = requests.get(f"{stack.url}/contact-sync{path}", timeout=30)
        assert answer.status_code == 401
        assert SYNC not in answer.text
