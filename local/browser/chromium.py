"""A real browser for the screenshots and the tests: Chromium, driven by Playwright.

`python -m local.browser.chromium` (`make browser`) sees to it that there is one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, Playwright, ViewportSize, sync_playwright

from local.airflow_stack.settings import LOGIN, PASSWORD
from local.stack.directory import StackError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-dejavu-core")  # without a font, pages have no letters
INSTALL_SECONDS = 600
SIZE: ViewportSize = {"width": 1280, "height": 800}
WAIT_SECONDS = 30.0
HOW_TO_GET_ONE = """No Chromium was found. Install one:
    Debian:                 apt-get install chromium         (as root)
    macOS:                  brew install --cask chromium
    elsewhere, or not root: .venv/bin/playwright install chromium
Tests that need no browser: make test ARGS="-m 'not airflow'\""""


def chromium(playwright: Playwright) -> str:
    """The path of the system's Chromium, or of the one that Playwright has downloaded.

    Raises StackError that says how to get one.
    """
    own = playwright.chromium.executable_path
    for found in (*map(shutil.which, PROGRAMS), own if Path(own).exists() else None):
        if found:
            return found
    raise StackError(HOW_TO_GET_ONE)


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of a new, headless browser in light colours; the browser ends with the block."""
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root; only pages of our own servers are opened.
        browser = playwright.chromium.launch(
            executable_path=chromium(playwright), args=["--no-sandbox"]
        )
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
    page.wait_for_url(f"{url}/")


def main() -> int:
    """Find Chromium; install Debian's if there is none and we may; say what to do if we may not."""
    with sync_playwright() as playwright:
        try:
            chromium(playwright)
        except StackError:
            if os.geteuid() == 0 and shutil.which("apt-get"):
                apt_install(PACKAGES)
        try:
            print(f"Browser for tests and screenshots: {chromium(playwright)}")
        except StackError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def apt_install(packages: tuple[str, ...]) -> None:
    """Install Debian's packages; what goes wrong, apt-get says itself."""
    print(f"Installing {' and '.join(packages)} with apt-get", flush=True)
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(
            ["apt-get", "-qq", *command], env=environment, timeout=INSTALL_SECONDS, check=False
        )


if __name__ == "__main__":
    sys.exit(main())
