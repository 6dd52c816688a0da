"""`make up`: the whole system with generated clients, until Ctrl-C."""

from __future__ import annotations

import shlex
import sys
import time
from contextlib import suppress
from pathlib import Path

from local.airflow_stack.settings import LOGIN, PASSWORD
from local.demo.sync import CLIENTS, DAG_ID, SYNC
from local.stack.console import Console, Interrupted, run_until_ended
from local.stack.directory import ROOT
from local.stack.system import Stack

LOOK_SECONDS = 1.0
PROGRAM = ".venv/bin/python -m contact_sync"


def main() -> int:
    """Run the stack until a signal ends it."""
    return run_until_ended(keep_up)


def keep_up(console: Console) -> int:
    """Start the stack, print how to use it, and watch over it."""
    console.say("Starting PostgreSQL, the SendGrid emulator and Airflow")
    with Stack.start(name="up", clients=CLIENTS, say=console.say) as stack:
        stack.wait_for_dag(DAG_ID)
        stack.unpause(DAG_ID)
        print(welcome(stack, write_environment(stack)), flush=True)
        with suppress(Interrupted):  # the ordinary end of this command
            while True:
                stack.airflow.processes.check()
                time.sleep(LOOK_SECONDS)
    console.say("Stopped; no process is left behind")
    return 0


def write_environment(stack: Stack) -> Path:
    """Write Airflow's settings to a file for a shell, so that commands reach this stack."""
    path = stack.directory / "environment.sh"
    path.touch(mode=0o600)  # it holds passwords
    settings = stack.airflow.settings.items()
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in settings if ours(name)]
    path.write_text("".join(sorted(lines)), encoding="utf-8")
    return path


def ours(name: str) -> bool:
    """Return whether a variable of the environment was set by us."""
    return name.startswith("AIRFLOW")


def welcome(stack: Stack, environment: Path) -> str:
    """Say where everything is and what to do first."""
    return f"""
  Airflow    {stack.url}/dags/{DAG_ID}
  Login      {LOGIN}, password {PASSWORD}
  First      press Trigger and choose the mode `full`: the first load of {CLIENTS:,} clients
  B2CORE     {stack.databases.b2core_url}
  SendGrid   {stack.emulator.base_url} (the emulator)
  Commands   . {environment.relative_to(ROOT)}; {PROGRAM} status {SYNC}
  Logs       {stack.airflow.home.relative_to(ROOT)}

  Ctrl-C stops everything and deletes the data.
"""


if __name__ == "__main__":
    sys.exit(main())
