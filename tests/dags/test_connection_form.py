"""Admin > Connections in a real browser: SendGrid's form, and what Airflow's Test button says."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from local.airflow_stack.api import AirflowApi
from local.browser.connection_form import open_form
from local.stack.system import Stack

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600), pytest.mark.xdist_group("airflow")]

NAME = "from_the_form"
WRONG, MAIL_ONLY = "SG.wrong", "SG.mail-only"
DEAD = "http://127.0.0.1:9"  # the port "discard": nothing listens there


def press_test(page: Page, words: str) -> str:
    """Press Test in the connection's row, wait for these words and return all that is said."""
    row = page.get_by_role("row").filter(has=page.get_by_text(NAME, exact=True))
    row.get_by_role("button", name="Test Connection").click()
    told = page.locator("[data-scope=toast][data-part=root]").filter(has_text=words)
    told.wait_for()
    return told.inner_text()


def change(api: AirflowApi, **fields: object) -> None:
    """Change the stored connection as the form would."""
    mask = "&".join(f"update_mask={name}" for name in fields)
    body = {"connection_id": NAME, "conn_type": "sendgrid"} | fields
    api.send("PATCH", f"/api/v2/connections/{NAME}?{mask}", body)


def test_the_form_asks_for_what_is_needed_and_its_connection_can_be_tested(
    page: Page, stack: Stack
) -> None:
    """Key, region or own URL; the Test button says in words what is wrong."""
    form = open_form(page, stack.url)
    said = form.inner_text()
    for label in ("API key", "Own URL", "Port (enter 443)", "Region", "Trusted hosts"):
        assert f"\n{label}\n" in said
    for label in ("Login", "Schema", "Password", "Host"):
        assert f"\n{label}\n" not in said
    form.locator("[name=connection_id]").fill(NAME)
    form.get_by_label("Own URL").fill(stack.emulator.base_url)
    form.get_by_label("API key").fill(stack.emulator.api_key)
    form.get_by_label("Port (enter 443)").fill("443")
    form.get_by_role("button", name="Save").click()
    page.get_by_text("Connection has been successfully created").wait_for()
    try:
        press_test(page, "The key works")
        the_button_says_what_is_wrong(page, stack)
    finally:
        stack.airflow.api.send("DELETE", f"/api/v2/connections/{NAME}")


def the_button_says_what_is_wrong(page: Page, stack: Stack) -> None:
    """Key, scopes, network, region; never the key itself."""
    api = stack.airflow.api
    stack.emulator.admin.add_key(MAIL_ONLY, "none")
    change(api, password=WRONG)
    assert WRONG not in press_test(page, "the API key is wrong, revoked or from another region")
    change(api, password=MAIL_ONLY)
    press_test(page, "lacks the scope marketing.read: give it Marketing: Full Access")
    change(api, host=DEAD)
    page.reload()  # the page tests the host that it shows
    press_test(page, "the host can't be reached; check the connection's host and the network")
    change(api, host="https://api.eu.sendgrid.com")
    page.reload()
    press_test(page, "is not that of its region 'us'")
