"""A real browser for the screenshots and the tests: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, ViewportSize, sync_playwright

from local.airflow_settings import LOGIN, PASSWORD
from local.stack_directory import StackError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SIZE: ViewportSize = {"width": 1280, "height": 800}
WAIT_SECONDS = 30.0


def chromium() -> str:
    """The path of the system's Chromium. Raises StackError that says how to install it."""
    for name in PROGRAMS:
        if found := shutil.which(name):
            return found
    raise StackError(
        "No Chromium was found. `make browser` installs it on Debian and Ubuntu, or says what to do"
    )


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of a new, headless browser in light colours; the browser ends with the block."""
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root; only pages of our own servers are opened.
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
            page.set_default_timeout(WAIT_SECONDS * 1000)
            yield page
        finally:
            browser.close()


def log_in(page: Page, url: str) -> None:
    """Log in to Airflow at `url` as the administrator, as a person does."""
    page.goto(f"{url}/auth/login")
    page.get_by_label("Username").fill(LOGIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")  # the start page; its parts still load
