"""The pages by keyboard alone, as each of Airflow's roles: what Tab reaches, in which order, that
one sees where one is, and that Enter does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.dags.test_plan_page import waiting
from tests.support.rendered import Eyes, token_of
from tests.support.world import World

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("no_dags_seen")]

MOST_STOPS = 150
STOP = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  if (at === document.body) return null;
  const label = at.labels && at.labels.length ? at.labels[0] : at;
  return {
    name: (label.innerText || at.getAttribute("aria-label") || at.name || at.tagName).trim(),
    ring: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2,
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""
REACHABLE = "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']"
SHOWN = "all => all.filter((each) => each.checkVisibility()).length"
FIRST = "document.querySelector('.skip').focus()"


def stops(page: Page) -> Iterator[str]:
    """What Tab reaches, one after the other; each is in sight, with a ring around it."""
    page.evaluate(FIRST)
    for _ in range(MOST_STOPS):
        at: dict[str, Any] | None = page.evaluate(STOP)
        if at is None:
            return
        assert at["ring"], at
        assert at["seen"], at
        yield " ".join(str(at["name"]).split())
        page.keyboard.press("Tab")


def all_stops(page: Page) -> list[str]:
    """All of them: nothing that can be used is left out, nor reached twice."""
    found = list(stops(page))
    assert len(found) == page.locator(REACHABLE).evaluate_all(SHOWN), found
    return found


def enter(page: Page, name: str) -> None:
    """Press Tab until this has the focus, and Enter."""
    assert any(found.startswith(name) for found in stops(page)), name
    page.keyboard.press("Enter")


@pytest.mark.parametrize(
    ("role", "buttons", "edits"),
    [
        ("viewer", [], False),
        pytest.param(
            "user",
            ["Run now", "More", "Full run", "Dry run", "Pause"],
            False,
            marks=pytest.mark.slow,
        ),
        ("admin", ["Run now", "More", "Full run", "Dry run", "Pause"], True),
    ],
)
def test_T06_tab_reaches_everything_in_its_order_and_enter_does_it(
    connected: World, eyes: Eyes, pages_url: str, role: str, buttons: list[str], edits: bool
) -> None:
    """From the page of all syncs to a plan that waits, to its run, and back; a viewer, an editor
    and an administrator, each with the buttons that are theirs."""
    run_id = waiting(connected)

    def do(page: Page) -> None:
        page.goto("/syncs")
        enter(page, "More")
        reached = all_stops(page)
        assert reached[0] == "Skip to the content"
        wanted = ("Demo brokerage", "The plan", f"Run {run_id}", *buttons)
        places = [[name.startswith(part) for name in reached].index(True) for part in wanted]
        assert places == sorted(places)
        assert [name for name in reached if name.startswith("Run now")] != [] or not buttons
        assert ("New sync" in reached) == edits
        enter(page, "The plan")
        page.wait_for_url(f"**/syncs/demo/runs/{run_id}/plan")
        assert ("Start a dry run" in all_stops(page)) == bool(buttons)
        enter(page, f"Run {run_id}")
        page.wait_for_url(f"**/syncs/demo/runs/{run_id}")
        reached = all_stops(page)
        assert reached.index("Stop that") < reached.index("Client by client")
        enter(page, "Skip to the content")
        assert page.evaluate("location.hash") == "#content"
        enter(page, "Contact syncs")
        page.wait_for_url("**/syncs")

    eyes.visit(pages_url, token_of(role), do)
