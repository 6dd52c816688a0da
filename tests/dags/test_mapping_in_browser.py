"""The form of a sync in a real browser: keyboard, themes, narrow screens, copy, compare."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from contact_sync.base.paths import INCLUDE
from contact_sync.config.parse import parse_definition
from local.airflow_stack.settings import LOGIN, PASSWORD, VIEWER
from local.browser.pages import choose_theme, enter_as, open_syncs
from local.demo.sync import SYNC
from local.stack.system import Stack
from tests.support.accessible import barriers

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600), pytest.mark.xdist_group("airflow")]

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 400, "height": 800}


def opened(browser: Browser, stack: Stack, login: str, password: str, theme: str) -> Page:
    """A page of somebody who has logged in, in Airflow's theme; the console's errors fail it."""
    context = browser.new_context(reduced_motion="reduce", accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    enter_as(context, stack.url, login, password)
    choose_theme(context, theme)
    context.set_default_timeout(30_000)
    return context.new_page()


def no_barriers(page: Page) -> None:
    """Neither on a wide screen nor on a narrow one."""
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert barriers(page) == [], size


def complaints_of(page: Page) -> list[str]:
    """What the browser will complain about, as of now."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def test_a_new_sync_by_keyboard_inside_airflow(
    browser: Browser, stack: Stack, tmp_path: Path
) -> None:
    """Name, Enter, both sides, a mapped field, Enter: a checked file, downloaded and copied."""
    page = opened(browser, stack, LOGIN, PASSWORD, "dark")
    complaints = complaints_of(page)
    frame = open_syncs(page, stack.url)
    frame.get_by_role("link", name="New sync").click()
    frame.get_by_label("Name: a-z").fill("west")
    frame.get_by_label("Caption").fill("West")
    page.keyboard.press("Enter")
    expect(frame.get_by_role("status")).to_contain_text("Seen just now")
    frame.get_by_label("Column for Jurisdiction", exact=True).select_option("")
    frame.get_by_label("List", exact=True).select_option(label="no list: all contacts")
    frame.get_by_label("B2CORE says that a client must not be sent: what").select_option("delete")
    frame.get_by_label("Caption").press("Enter")
    expect(frame.get_by_role("table", name="What was looked at")).to_be_visible()
    made = frame.get_by_label("include/syncs/west.yaml").input_value()
    definition = parse_definition(made, "west.yaml")
    assert (definition.list, definition.on_exclusion) == (None, "delete")
    assert "Jurisdiction" not in definition.fields
    assert definition.fields["Status"].column == "status"
    with page.expect_download() as downloading:
        frame.get_by_role("button", name="Download west.yaml").click()
    downloading.value.save_as(tmp_path / "west.yaml")
    assert downloading.value.suggested_filename == "west.yaml"
    assert (tmp_path / "west.yaml").read_text("utf-8") == made
    frame.get_by_role("button", name="Copy").click()
    expect(frame.locator("[data-copied]")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == made
    assert not (INCLUDE / "syncs" / "west.yaml").exists()
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_mapping_beside_the_present_file_has_no_barrier(
    browser: Browser, stack: Stack, theme: str
) -> None:
    """In both themes, wide and narrow: form, wrong texts, checklist, difference."""
    page = opened(browser, stack, LOGIN, PASSWORD, theme)
    complaints = complaints_of(page)
    page.goto(f"{stack.url}/contact-sync/syncs/{SYNC}")
    page.get_by_role("link", name="Mapping").click()
    page.get_by_text("The columns of clients.sql").click()
    expect(page.get_by_role("region", name="Columns of clients.sql")).to_contain_text("***")
    page.get_by_label("Schedule").fill("every day")
    page.get_by_role("button", name="Check, and show the definition").click()
    expect(page.get_by_role("alert")).to_contain_text("Airflow can't read 'every day'")
    assert page.evaluate("document.querySelector('#result:target') !== null")
    assert theme == "dark" or barriers(page) == []
    page.get_by_label("Schedule").fill("@hourly")
    page.get_by_role("button", name="Check, and show the definition").click()
    expect(page.locator(".diff .added")).to_contain_text("@hourly")
    no_barriers(page)
    assert all("422" in said for said in complaints), complaints
    page.context.close()


def test_whoever_may_only_look_reads_why_there_is_no_form(browser: Browser, stack: Stack) -> None:
    """No button, and a sentence where one comes by the address."""
    page = opened(browser, stack, VIEWER, VIEWER, "light")
    frame = open_syncs(page, stack.url)
    expect(frame.get_by_role("link", name="New sync")).to_have_count(0)
    frame.goto(f"{stack.url}/contact-sync/syncs/{SYNC}/mapping")
    expect(frame.locator("main")).to_contain_text("whoever may edit connections in Airflow")
    expect(frame.locator("form")).to_have_count(0)
    page.context.close()
