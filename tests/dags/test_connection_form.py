"""Admin > Connections in a real browser: SendGrid's form, and what Airflow's Test button says."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from local.airflow_api import AirflowApi
from local.connection_form import open_form
from local.stack import Stack
from tests.world import API_KEY

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600), pytest.mark.xdist_group("airflow")]

NAME = "from_the_form"
DEAD = "http://127.0.0.1:9"  # the port "discard": nothing listens there


def press_test(page: Page) -> str:
    """Press Test in the connection's row and return what the page says."""
    row = page.get_by_role("row").filter(has=page.get_by_text(NAME, exact=True))
    toasts = page.locator("[data-scope=toast][data-part=root]")
    row.get_by_role("button", name="Test Connection").click()
    expect(toasts).to_have_count(1)
    said = toasts.inner_text()
    toasts.get_by_role("button").click()
    expect(toasts).to_have_count(0)
    return said


def change(api: AirflowApi, **fields: object) -> None:
    """Change the stored connection as the form would."""
    body = {"connection_id": NAME, "conn_type": "sendgrid"} | fields
    mask = "&".join(f"update_mask={name}" for name in fields)
    api.send("PATCH", f"/api/v2/connections/{NAME}?{mask}", body)


def test_a_connection_is_made_in_the_form_and_tested_with_its_button(
    page: Page, stack: Stack
) -> None:
    """Region, key and own URL are all it asks for; the button says in words what is wrong."""
    emulator, api = stack.emulator, stack.airflow.api
    emulator.admin.add_key("SG.mail-only", "none")
    form = open_form(page, stack.url)
    labels = [label for label in form.get_by_role("textbox").all() if label.is_visible()]
    assert [form.locator(f"label[for='{box.get_attribute('id')}']").inner_text() for box in labels]
    form.locator("[name=connection_id]").fill(NAME)
    form.get_by_label("Own URL").fill(emulator.base_url)
    form.get_by_label("API key").fill(emulator.api_key)
    form.get_by_label("Port (enter 443)").fill("443")
    form.get_by_role("button", name="Save").click()

    assert "The key works" in press_test(page)
    change(api, password=API_KEY)
    said = press_test(page)
    assert "the API key is wrong, revoked or of another region" in said
    assert API_KEY not in said
    change(api, password="SG.mail-only")
    assert "lacks the scope marketing.read: give it Marketing: Full Access" in press_test(page)
    change(api, host=DEAD)
    page.reload()
    print(press_test(page))
    change(api, host="https://api.eu.sendgrid.com")
    page.reload()
    assert "is not that of its region 'us'" in press_test(page)
