"""A run's page in a real browser while the run is at work: it follows it in place.

The pages are served without a scheduler: what it would do is written into Airflow's tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from airflow.api_fastapi.app import init_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.sdk.timezone import utcnow
from playwright.sync_api import Page, expect, sync_playwright

from contact_sync.base.vocabulary import RunKind
from contact_sync.run.release_lease import release_lease
from contact_sync.run.start_run import start_run
from local.browser.chromium import chromium
from local.browser.pages import COOKIE, choose_theme
from tests.dags.test_live_pages import HOLDER, REPORT, OneDagRun, dag_run
from tests.support.accessible import barriers
from tests.support.rendered import served
from tests.support.world import World

__all__ = ["dag_run"]
pytestmark = [pytest.mark.airflow, pytest.mark.timeout(300)]

WAIT_MS = 30_000
ZONE = "Asia/Kolkata"
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
SELECTED = "document.getSelection().toString()"
SEEN_AT = "Math.round(document.querySelector('[id^=sent-]').getBoundingClientRect().top)"
ASIDE = "document.querySelector('[aria-label^=Jobs]').scrollLeft"


@pytest.fixture
def page(connected: World) -> Iterator[Page]:
    """A page of somebody who has chosen a time zone in Airflow; its clock can be moved."""
    user = SimpleAuthManagerUser(username="admin", role="admin")
    token = init_auth_manager().generate_jwt(user)
    with served() as url, sync_playwright() as playwright:
        program = chromium(playwright)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context(
            base_url=url, reduced_motion="reduce", timezone_id="America/New_York"
        )
        context.add_cookies([{"name": COOKIE, "value": token, "url": url}])
        choose_theme(context, "light")
        context.add_init_script(f"localStorage.setItem('timezone', '{json.dumps(ZONE)}')")
        opened = context.new_page()
        opened.clock.install()
        yield opened
        browser.close()


def at_work(world: World) -> int:
    """A run whose only job is at SendGrid; returns its id."""
    world.seed()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder=HOLDER)
    plan = json.dumps({"counts": {"to_send": 9, "read": 9}})
    world.state("UPDATE contact_sync.run SET plan = %s WHERE run_id = %s", plan, run_id)
    world.state(
        "INSERT INTO contact_sync.batch (run_id, sync_id, lane, contacts, state, job_id,"
        " job_status, submitted_at, asked_at) SELECT run_id, sync_id, 'csv', 9, 'submitted', 'j1',"
        " 'pending', now(), now() FROM contact_sync.run WHERE run_id = %s", run_id,
    )  # fmt: skip
    return run_id


def look_until(page: Page, place: str, text: str) -> None:
    """Let the page look again, and again if it was just looking, until it says this there."""
    for _ in range(30):
        page.clock.fast_forward(5_000)
        try:
            expect(page.locator(place)).to_contain_text(text, timeout=1_000)
        except AssertionError:
            continue
        return
    expect(page.locator(place)).to_contain_text(text)


def assert_nothing_in_the_way(page: Page) -> None:
    """In both themes, on a desk and on a phone."""
    for theme in ("dark", "light"):
        page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
        page.evaluate("dispatchEvent(new StorageEvent('storage', { key: 'theme' }))")
        for width in (1440, 400):
            page.set_viewport_size({"width": width, "height": 900})
            assert barriers(page) == [], (theme, width)


def assert_times_of_the_viewer(page: Page) -> None:
    """Absolute in the zone that was chosen in Airflow, and relative."""
    shown = page.locator("dl.facts time").first
    at = datetime.fromisoformat(str(shown.get_attribute("datetime")))
    assert datetime.now(UTC) - at < timedelta(hours=1)
    text = f"{at.astimezone(ZoneInfo(ZONE)):%-d %b %Y, %H:%M:%S}"
    expect(shown).to_contain_text(f"{text} GMT+5:30 (")
    page.clock.fast_forward(300_000)
    expect(shown).to_contain_text("5 minutes ago)")


def test_the_page_of_a_run_follows_it_in_place(
    connected: World, dag_run: OneDagRun, page: Page
) -> None:
    """What is focused, selected and scrolled stays while numbers and notes come and go."""
    run_id = at_work(connected)
    dag_run.task("send_batch", "running", map_index=0)
    page.goto(REPORT)
    expect(page.get_by_role("progressbar", name="contacts sent")).to_have_attribute("value", "9")
    assert_times_of_the_viewer(page)
    dag_run.task("check_setup", "up_for_retry", end_date=utcnow(), retry_delay_override=600.0,
                 retry_reason="SendGrid answered 503")  # fmt: skip
    look_until(page, "main", "check_setup has failed and is tried again")
    assert_nothing_in_the_way(page)

    page.get_by_role("link", name="Stop that").focus()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
    page.evaluate(f"{ASIDE} = 40")
    page.evaluate("document.querySelector('[id^=sent-]').scrollIntoView()")
    before = page.evaluate(SELECTED), page.evaluate(ASIDE), page.evaluate(SEEN_AT)
    connected.state(
        "UPDATE contact_sync.batch SET state = 'settled', settled_at = now(), outcome = 'applied',"
        """ numbers = '{"confirmed": 9, "rejected": 0}' WHERE run_id = %s""", run_id,
    )  # fmt: skip
    look_until(page, ".progress div:last-child", "9 of 9")
    assert (page.evaluate(SELECTED), page.evaluate(ASIDE)) == (f"Run {run_id}: full", 40)
    assert before[:2] == (f"Run {run_id}: full", 40)
    assert abs(page.evaluate(SEEN_AT) - before[2]) <= 2  # what is read stays where it is
    assert page.evaluate("document.activeElement.textContent") == "Stop that"


def test_a_page_recovers_by_itself_rests_while_hidden_and_says_how_the_run_ends(
    connected: World, dag_run: OneDagRun, page: Page
) -> None:
    """What it shows is of a moment that it names, as long as nothing answers."""
    run_id = at_work(connected)
    page.goto(REPORT)
    page.evaluate("window.stayed = true")
    page.route("**/report*", lambda route: route.abort())
    look_until(page, "#connection", "there is no newer answer (Airflow doesn't answer)")
    assert barriers(page) == []
    page.unroute("**/report*")
    page.clock.fast_forward(600_000)
    expect(page.locator("#connection")).to_be_hidden(timeout=WAIT_MS)

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(HIDE, True)
    page.clock.fast_forward(600_000)
    assert asked == []
    with connected.sync() as sync:
        release_lease(sync, run_id, "A task failed")
    dag_run.is_now("failed")
    page.evaluate(HIDE, False)
    expect(page.locator(".head .tag").first).to_have_text("failed", timeout=WAIT_MS)
    expect(page.locator("main[data-refresh]")).to_have_count(0)
    asked.clear()
    page.clock.fast_forward(600_000)
    assert asked == []
    assert page.evaluate("window.stayed")
