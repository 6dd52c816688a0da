"""`make screenshots`: the pictures in docs/images, taken of the demo in a real browser.

A picture is a function that leads the page to what is to be seen; add new ones to `PICTURES`. Those
of failures come last: they change how the sync stands.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from local.b2core_demo import apply_demo_changes
from local.browser import failed_runs
from local.browser.chromium import browser_page, log_in
from local.browser.connection_form import open_form
from local.browser.pages import open_report, open_syncs
from local.demo.sync import DAG_ID, SYNC
from local.stack.console import Console, run_until_ended
from local.stack.directory import ROOT, StackError
from local.stack.runs import wait
from local.stack.system import Stack

IMAGES = ROOT / "docs" / "images"
CLIENTS = 2_000
RUN_SECONDS = 300.0
VERIFY_DAG_ID = f"{DAG_ID}_verify"
MAX_BYTES = 150_000
SETTLE_MS = 1_000  # drawing and fading in


def connection_form(page: Page, stack: Stack) -> None:
    """SendGrid's form under Admin > Connections."""
    form = open_form(page, stack.url)
    form.locator("[name=connection_id]").fill("sendgrid_default")
    form.get_by_label("API key").fill("SG.example")
    form.get_by_label("Port (enter 443)").fill("443")


def connection_region(page: Page, stack: Stack) -> None:
    """The same form, for an account of the EU region."""
    connection_form(page, stack)
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Region", exact=True).click()
    form.get_by_role("combobox", name="Region").fill("EU")
    page.keyboard.press("Enter")


def trigger_form(page: Page, stack: Stack) -> None:
    """What Trigger asks for."""
    page.goto(f"{stack.url}/dags/{DAG_ID}")
    page.get_by_role("button", name="Trigger").click()
    page.get_by_role("dialog").get_by_text("Mode", exact=True).wait_for()


def grid(page: Page, stack: Stack) -> None:
    """The tasks of the latest runs."""
    page.goto(f"{stack.url}/dags/{DAG_ID}")
    page.get_by_text("release_lease").first.wait_for()


def run_report(page: Page, stack: Stack) -> None:
    """The tab on the newest run."""
    open_report(page, stack.url, DAG_ID, stack.airflow.api.runs(DAG_ID)[0]["dag_run_id"])


def sync_page(page: Page, stack: Stack) -> None:
    """One sync on the page in the navigation."""
    open_page(page, stack, "")


def client_look_up(page: Page, stack: Stack) -> None:
    """Why one contact looks as it does."""
    open_page(page, stack, "/clients/7")


def rejected_clients(page: Page, stack: Stack) -> None:
    """Who isn't sent, and why."""
    open_page(page, stack, "/rejected")


def verification(page: Page, stack: Stack) -> None:
    """What isn't equal, after somebody has edited, made and taken off contacts at SendGrid."""
    edit_at_sendgrid(stack)
    stack.wait_for_dag(VERIFY_DAG_ID)
    stack.unpause(VERIFY_DAG_ID)
    run_id = stack.trigger(VERIFY_DAG_ID, {})
    wait(stack, VERIFY_DAG_ID, run_id, seconds=RUN_SECONDS)
    open_page(page, stack, "/verification")


def mapping_form(page: Page, stack: Stack) -> None:
    """The form of a sync's definition, with what both sides have."""
    open_page(page, stack, "/mapping")
    frame = page.frames[-1]
    frame.get_by_text("Fields", exact=True).first.scroll_into_view_if_needed()


def mapping_result(page: Page, stack: Stack) -> None:
    """What the form makes: the checklist, the definition, and what differs from the file."""
    open_page(page, stack, "/mapping")
    frame = page.frames[-1]
    frame.get_by_label("Schedule").fill("@hourly")
    frame.get_by_role("button", name="Check, and show the definition").click()
    frame.locator("#result").wait_for()


def edit_at_sendgrid(stack: Stack) -> None:
    """Change values of two contacts, and put one on the list that is nobody's."""
    admin = stack.emulator.admin
    first, second = sorted(admin.contacts())[:2]
    admin.put_contacts(
        {"email": first, "city": "Elsewhere"},
        {"email": second, "first_name": "Typed by hand"},
        {"email": "somebody@example.org"},
        list_ids=[stack.list_id],
    )


def open_page(page: Page, stack: Stack, path: str) -> None:
    """Open one of the project's pages of the sync where Airflow's navigation shows them."""
    inner = open_syncs(page, stack.url)
    inner.goto(f"{stack.url}/contact-sync/syncs/{SYNC}{path}")
    inner.locator("main h1").first.wait_for()


PICTURES: dict[str, Callable[[Page, Stack], None]] = {
    "connection-form": connection_form,
    "connection-region": connection_region,
    "trigger-form": trigger_form,
    "grid": grid,
    "run-report": run_report,
    "sync-page": sync_page,
    "client-look-up": client_look_up,
    "rejected-clients": rejected_clients,
    "verification": verification,
    "mapping-form": mapping_form,
    "mapping-result": mapping_result,
    **failed_runs.PICTURES,
}


def main() -> int:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(
        prog="python -m local.browser.screenshots", description=__doc__
    )
    parser.add_argument("names", nargs="*", help=f"default: all of {', '.join(PICTURES)}")
    options = parser.parse_args()
    if unknown := set(options.names) - PICTURES.keys():
        parser.error(f"no such picture: {', '.join(sorted(unknown))}")
    return run_until_ended(partial(take, names=options.names or list(PICTURES)))


def take(console: Console, names: list[str]) -> int:
    """Start the stack, run the demo's sync twice, and take the pictures of these names."""
    IMAGES.mkdir(exist_ok=True)
    with Stack.start(name="screenshots", clients=CLIENTS, say=console.say) as stack:
        stack.wait_for_dag(DAG_ID)
        stack.unpause(DAG_ID)
        run(stack, "full")
        apply_demo_changes(stack.databases.b2core_url)
        run(stack, "incremental")
        with browser_page() as page:
            log_in(page, stack.url)
            for name in names:
                PICTURES[name](page, stack)
                page.mouse.move(0, 0)  # no hints of what it happens to be over
                page.wait_for_timeout(SETTLE_MS)
                path = IMAGES / f"{name}.png"
                save(page.screenshot(), path)
                console.say(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")
    return 0


def run(stack: Stack, mode: str) -> None:
    """Run the demo's sync to its successful end."""
    run_id = stack.trigger(DAG_ID, {"mode": mode})
    state = wait(stack, DAG_ID, run_id, seconds=RUN_SECONDS)
    if state != "success":
        raise StackError(f"The {mode} run {state}; its logs are in {stack.airflow.task_logs}")


def save(png: bytes, path: Path) -> None:
    """Write a picture with 256 colours, which a page of text never needs more of."""
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    if (size := path.stat().st_size) > MAX_BYTES:
        raise StackError(f"{path} has {size:,} bytes; at most {MAX_BYTES:,} are wanted")


if __name__ == "__main__":
    sys.exit(main())
