"""Pictures of what people see when something goes wrong: real runs, with faults of the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable

import psycopg
from playwright.sync_api import Page

from local.browser.pages import open_report, open_syncs
from local.demo.sync import DAG_ID
from local.stack.directory import StackError
from local.stack.runs import wait
from local.stack.system import Stack

RUN_SECONDS = 300.0
WAITS_SECONDS = 45
INVALID = {"errors": [{"message": "The provided authorization grant is invalid, expired, or "
                                  "revoked"}]}  # fmt: skip


def syncs_failed(page: Page, stack: Stack) -> None:
    """The page of all syncs, after a run that SendGrid refused the key."""
    refused_key(stack)
    open_syncs(page, stack.url)


def run_failed(page: Page, stack: Stack) -> None:
    """The report of that run."""
    open_report(page, stack.url, DAG_ID, refused_key(stack))


def run_waits(page: Page, stack: Stack) -> None:
    """A run that SendGrid's limit has stopped for a moment."""
    stack.emulator.admin.fault(
        "GET", "/v3/marketing/lists", status=429, headers={"retry-after": str(WAITS_SECONDS)}
    )
    report = open_report(page, stack.url, DAG_ID, stack.trigger(DAG_ID, {"mode": "incremental"}))
    report.get_by_text("A call waits").wait_for()


def run_jobs_failed(page: Page, stack: Stack) -> None:
    """A run whose jobs failed as a whole: where each contact is, and how it was tried again."""
    open_report(page, stack.url, DAG_ID, failed_jobs(stack))


def run_done(page: Page, stack: Stack) -> None:
    """The same report, once a later run has succeeded."""
    run_id = failed_jobs(stack)
    if (state := ended(stack)[1]) != "success":
        raise StackError(f"The run after the failed one {state}")
    open_report(page, stack.url, DAG_ID, run_id)


def refused_key(stack: Stack) -> str:
    """A DAG run that fails, because SendGrid doesn't know the key; returns its id."""
    said, kind = json.dumps(INVALID), {"content-type": "application/json"}
    stack.emulator.admin.fault("GET", "/v3/scopes", status=401, times=99, body=said, headers=kind)
    return failed(stack)


def failed_jobs(stack: Stack) -> str:
    """A DAG run that fails, because every job of some changed clients does; returns its id."""
    with psycopg.connect(stack.databases.b2core_url) as connection:
        rows = connection.execute(
            "UPDATE b2core.clients SET last_name = last_name || ' jr' WHERE id BETWEEN 11 AND 14"
            " RETURNING lower(email)"
        ).fetchall()
    stack.emulator.admin.settings(poison_emails=[email for (email,) in rows])
    return failed(stack)


def failed(stack: Stack) -> str:
    """A DAG run that fails, after which nothing is wrong any more; returns its id."""
    run_id, state = ended(stack)
    stack.emulator.admin.clear_faults()
    stack.emulator.admin.settings(poison_emails=[])
    if state != "failed":
        raise StackError(f"The run that has to fail {state}")
    return run_id


def ended(stack: Stack) -> tuple[str, str]:
    """An incremental DAG run that has ended: its id and state."""
    run_id = stack.trigger(DAG_ID, {"mode": "incremental"})
    return run_id, wait(stack, DAG_ID, run_id, seconds=RUN_SECONDS)


PICTURES: dict[str, Callable[[Page, Stack], None]] = {
    "syncs-failed": syncs_failed,
    "run-failed": run_failed,
    "run-waits": run_waits,
    "run-jobs-failed": run_jobs_failed,
    "run-done": run_done,
}
