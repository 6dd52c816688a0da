"""The emulator's page for a person: what it shows, and that everybody can use it."""

from __future__ import annotations

import requests

from local.browser.chromium import browser_page
from local.sendgrid_emulator.process import Emulator
from tests.support.accessible import barriers
from tests.support.api_caller import LISTS, SendGrid

ANNA = "anna@example.com"


def page_of(emulator: Emulator, **query: str) -> str:
    """Return the page; it asks for no key."""
    answer = requests.get(f"{emulator.base_url}/__admin", params=query, timeout=30)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


def filled(sendgrid: SendGrid) -> None:
    """Bring contacts, a list, a field, jobs and calls."""
    clients = sendgrid.admin.create_list("clients <b>")
    field = sendgrid.admin.create_field("status", "Text")
    anna = {"email": ANNA, "first_name": "<script>", "custom_fields": {field: "Active"}}
    sendgrid.upsert(anna, *({"email": f"a{n}@b.co"} for n in range(60)), list_ids=[clients])
    sendgrid.upsert({"email": ANNA, "phone_number": "000"})


def test_it_shows_contacts_jobs_and_calls_and_changes_nothing(
    sendgrid: SendGrid, emulator: Emulator
) -> None:
    filled(sendgrid)
    calls = emulator.admin.calls()
    page = page_of(emulator)
    assert "61 contacts, 1 lists, 1 custom fields" in page
    assert "61 requested, 61 created" in page
    assert "<td>failed</td>" in page
    assert page.count("@b.co") == 50
    assert "<td>PUT</td><td>/v3/marketing/contacts</td><td>202</td>" in page
    assert emulator.admin.calls() == calls


def test_a_contact_is_looked_up_and_what_it_holds_is_text(
    sendgrid: SendGrid, emulator: Emulator
) -> None:
    filled(sendgrid)
    page = page_of(emulator, email=ANNA.upper())
    assert "<td>&lt;script&gt;</td>" in page
    assert "<td>clients &lt;b&gt;</td><td>status: Active</td>" in page
    assert "@b.co" not in page
    assert "<script>" not in page
    assert "<td>none" not in page_of(emulator, email=ANNA)
    assert '<td colspan="7">none</td>' in page_of(emulator, email='"><script>@b.co')


def test_keys_and_signatures_are_not_on_it(sendgrid: SendGrid, emulator: Emulator) -> None:
    started = sendgrid.start_import(["_rf2_T"])
    sendgrid.upload(started, f"email\n{ANNA}\n")
    sendgrid.call("GET", LISTS)
    page = page_of(emulator)
    assert "/imports/" in page
    assert emulator.api_key not in page
    assert "ignature" not in page


def test_everybody_can_use_it(sendgrid: SendGrid, emulator: Emulator) -> None:
    filled(sendgrid)
    with browser_page() as page:
        page.goto(f"{emulator.base_url}/__admin")
        assert barriers(page) == []
        page.get_by_label("Address of a contact").fill(ANNA)
        page.get_by_role("button", name="Look up").click()
        assert page.get_by_role("cell", name=ANNA).count() == 1
