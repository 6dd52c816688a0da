"""The project's pages in a real browser, for the screenshots and the tests: open one, wait for it.

Airflow shows them in a frame; `Frame` is what Playwright calls what is inside.
"""

from __future__ import annotations

from urllib.parse import quote

import requests
from playwright.sync_api import BrowserContext, Frame, Page

from local.stack.directory import StackError

CALL_SECONDS = 30.0
COOKIE = "_token"  # airflow: COOKIE_NAME_JWT_TOKEN


def token_of(url: str, login: str, password: str) -> str:
    """What Airflow's login page gives this user, who logs in to Airflow at `url`."""
    answer = requests.post(
        f"{url}/auth/token", json={"username": login, "password": password}, timeout=CALL_SECONDS
    )
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def enter_as(context: BrowserContext, url: str, login: str, password: str) -> str:
    """Give the browser the cookie of this user, as the login page does; returns the token."""
    token = token_of(url, login, password)
    context.add_cookies([{"name": COOKIE, "value": token, "url": url}])
    return token


def choose_theme(context: BrowserContext, theme: str) -> None:
    """Make Airflow's choice `light` or `dark` before a page is opened."""
    context.add_init_script(f"localStorage.setItem('theme', '{theme}')")


def open_syncs(page: Page, url: str) -> Frame:
    """The sync page, through Airflow's navigation address."""
    page.goto(f"{url}/plugin/contact-sync")
    return ready_frame(page, "Syncs")


def open_report(page: Page, url: str, dag_id: str, run_id: str, task: str = "") -> Frame:
    """The report in its tab on a DAG run, or on one of its tasks: `finish_run`, or
    `send_batch/mapped/0` for the first of a mapped one."""
    run = f"{url}/dags/{quote(dag_id)}/runs/{quote(run_id)}"
    tab = f"tasks/{quote(task)}/plugin/sync-report-of-task" if task else "plugin/sync-report"
    page.goto(f"{run}/{tab}")
    return ready_frame(page, "Sync report")


def ready_frame(page: Page, title: str) -> Frame:
    """The frame with our page, once its heading is there."""
    element = page.locator(f"iframe[title='{title}']").element_handle()
    frame = element.content_frame() if element else None
    if frame is None:
        raise StackError(f"Airflow shows no frame {title!r}")
    frame.locator("main h1").first.wait_for()
    return frame
