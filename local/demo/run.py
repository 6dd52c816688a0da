"""A run of the demo's DAG, shown to its end, and the contacts that it must have made."""

from __future__ import annotations

from local.demo.report import run_text
from local.demo.sync import DAG_ID, SYNC
from local.oracle import differences, expected
from local.stack.console import Console
from local.stack.runs import failed_tasks, wait
from local.stack.system import Stack

SHOWN = 20


def follow(stack: Stack, console: Console, run_id: str, *, seconds: float) -> bool:
    """Follow a run to its end and print its report or its failures; return if it succeeded."""
    state = wait(stack, DAG_ID, run_id, seconds=seconds)
    if state != "success":
        console.say(f"The run {run_id} {state}")
        for failed in failed_tasks(stack, DAG_ID, run_id):
            print(f"The task {failed.task} failed. Its log ends:\n{failed.log}", flush=True)
        return False
    print(run_text(stack.status(SYNC)["runs"][0]), flush=True)
    return True


def contacts_are_right(stack: Stack, console: Console) -> bool:
    """Compare every contact of the emulator with B2CORE, and print what differs."""
    wanted = expected(stack.databases.b2core_url)
    found = differences(
        stack.emulator.admin.contacts(), wanted, list_id=stack.list_id, at_most=SHOWN
    )
    for line in found:
        console.say(f"  {line}")
    if not found:
        console.say(f"  all {len(wanted.contacts):,} contacts are right, and there is no other")
    return not found
