"""A DAG run of the demo on the real Airflow: what can happen to it, and what people see of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
from playwright.sync_api import Page

from local.airflow_stack.settings import LOGIN, PASSWORD
from local.browser.pages import token_of
from local.demo.sync import DAG_ID
from local.stack.databases import AIRFLOW
from local.stack.runs import wait
from local.stack.system import Stack
from tests.support.receivers import arrived
from tests.support.rendered import Eyes, Shown

RUN_SECONDS = 300.0
DAG = f"/api/v2/dags/{DAG_ID}"


class DagRun:
    """A DAG run of the demo's DAG, and what can happen to it."""

    def __init__(self, stack: Stack, eyes: Eyes) -> None:
        self.stack, self._eyes = stack, eyes
        self.id = stack.trigger(DAG_ID, {"mode": "incremental"})
        self.path = f"{DAG}/dagRuns/{quote(self.id, safe='')}"

    def shows(self, path: str = "") -> Shown:
        """What an administrator sees: the tab on the DAG run, or another page."""
        tab = f"/report?dag_id={DAG_ID}&run_id={quote(self.id, safe='')}"
        return self._eyes.read(self.stack.url, self._token(), f"/contact-sync{path or tab}")

    def _token(self) -> str:
        return token_of(self.stack.url, LOGIN, PASSWORD)

    def set_up(self) -> str:
        """What *Check set-up* says, pressed on the page of all syncs."""

        def check(page: Page) -> str:
            page.goto("/contact-sync/syncs")
            page.get_by_text("More for").press("Enter")
            page.get_by_role("button", name="Check set-up").press("Enter")
            page.get_by_role("heading", name="Check of the set-up").wait_for()
            return " ".join(page.locator("main").inner_text().split())

        return self._eyes.visit(self.stack.url, self._token(), check)

    def task(self, task_id: str) -> dict[str, Any]:
        """The task as Airflow describes it; the first one of a mapped one."""
        rows = self.stack.airflow.api.task_instances(DAG_ID, self.id)
        return next(row for row in rows if row["task_id"] == task_id)

    def until(self, task_id: str, *states: str) -> dict[str, Any]:
        """The task once it is in one of these states."""

        def look() -> dict[str, Any] | None:
            found = self.task(task_id)
            return found if found["state"] in states else None

        return arrived(look, RUN_SECONDS)

    def ends(self) -> str:
        """Its state when it is over."""
        return wait(self.stack, DAG_ID, self.id, seconds=RUN_SECONDS)

    def airflow(self, statement: str, *values: Any) -> int:
        """Change rows of Airflow's own database: let time pass. Returns how many."""
        url = self.stack.databases.cluster.url(AIRFLOW)
        with psycopg.connect(url) as connection:
            return connection.execute(statement.encode(), values or (self.id,)).rowcount


def kill(ti_id: str) -> None:
    """End the process of a task, which has its id in its title."""
    title = f"airflow worker -- {ti_id}"

    def found() -> list[psutil.Process] | None:
        named = (p for p in psutil.process_iter(["cmdline"]) if title in (p.info["cmdline"] or []))
        return list(named) or None

    for process in arrived(found):
        process.kill()


@contextmanager
def frozen(stack: Stack, part: str) -> Iterator[None]:
    """A part of Airflow does nothing for a while."""
    process = psutil.Process(stack.airflow.processes.pid(part))
    process.suspend()
    try:
        yield
    finally:
        process.resume()
