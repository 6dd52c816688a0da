"""SendGrid's form under Admin > Connections, for the screenshots and the tests."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


def open_form(page: Page, url: str) -> Locator:
    """Open the form of a new connection in the Airflow at `url` and choose SendGrid."""
    page.goto(f"{url}/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.get_by_role("combobox").first.fill("SendGrid")
    page.keyboard.press("Enter")
    form.get_by_label("API key").wait_for()
    return form
