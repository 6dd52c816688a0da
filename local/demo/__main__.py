"""`make demo`: everything at work in real Airflow, with its own PostgreSQL and SendGrid emulator.

A first load of generated clients, changes as a back office makes them, an incremental run; then
every contact is compared with a second, independent working out of what it must be. Ends with
status 0 only if every contact is right, and leaves no process behind.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Any

from local.b2core_demo import apply_demo_changes
from local.demo.run import contacts_are_right, follow
from local.demo.sync import CLIENTS, DAG_ID
from local.stack.console import Console, run_until_ended
from local.stack.system import Stack

RUN_SECONDS = 300.0


def main() -> int:
    """Read the command line and run the demo."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--clients", type=int, default=CLIENTS, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the clients' data (%(default)s)")
    options = parser.parse_args()
    work = partial(show, clients=options.clients, seed=options.seed)
    return run_until_ended(work)


def show(console: Console, *, clients: int, seed: int) -> int:
    """Start the stack, show both runs and return the exit status."""
    console.say("Starting PostgreSQL, the SendGrid emulator and Airflow")
    with Stack.start(name="demo", clients=clients, seed=seed, say=console.say) as stack:
        wrong = steps(stack, console)
        console.say("Stopping everything")
    console.say("Stopped; no process is left behind")
    if wrong:
        console.say(f"The demo failed, see above. The logs are in {stack.directory}")
        return 1
    console.say("The demo succeeded: SendGrid has exactly what B2CORE's clients call for")
    return 0


def steps(stack: Stack, console: Console) -> bool:
    """Do the first load, the changes and the incremental run; return whether anything is wrong."""
    stack.wait_for_dag(DAG_ID)
    stack.unpause(DAG_ID)
    console.say("1. First load: every client, through Airflow's scheduler")
    if not run(stack, console, {"mode": "full", "reason": "first load"}):
        return True
    console.say("2. A back office changes clients:")
    for change in apply_demo_changes(stack.databases.b2core_url):
        console.say(f"  {change}")
    console.say("3. Incremental run: only what changed")
    if not run(stack, console, {"mode": "incremental"}):
        return True
    console.say("4. Comparing every contact with what it must be")
    return not contacts_are_right(stack, console)


def run(stack: Stack, console: Console, conf: dict[str, Any]) -> bool:
    """Trigger a run, follow it to its end, print its report; return whether it succeeded."""
    return follow(stack, console, stack.trigger(DAG_ID, conf), seconds=RUN_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
