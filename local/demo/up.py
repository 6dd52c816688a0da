"""`make up`: the whole system with generated clients, until Ctrl-C.

`make up KEEP=1 PORT=8080` keeps all data for the next time, opens Airflow on that port, and takes
connections from variables AIRFLOW_CONN_… of the shell. Definitions are those of include/syncs/.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from local.airflow_stack.settings import LOGIN, PASSWORD
from local.demo.sync import CLIENTS, DAG_ID, SYNC
from local.stack.console import Console, Interrupted, run_until_ended
from local.stack.directory import ROOT
from local.stack.system import Stack, Stay

LOOK_SECONDS = 1.0
PROGRAM = ".venv/bin/python -m contact_sync"


def main() -> int:
    """Read the command line and run the stack until a signal ends it."""
    parser = argparse.ArgumentParser(
        prog="python -m local.demo.up",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--keep", action="store_true", help="keep all data in .run/kept")
    parser.add_argument("--port", type=int, help="of Airflow's web page; default: a free one")
    options = parser.parse_args()
    return run_until_ended(partial(keep_up, keep=options.keep, port=options.port))


def keep_up(console: Console, *, keep: bool, port: int | None) -> int:
    """Start the stack, print how to use it, and watch over it."""
    console.say("Starting PostgreSQL, the SendGrid emulator and Airflow")
    own = own_connections() if keep else {}
    name = "kept" if keep else "up"
    with Stack.start(
        name=name, clients=CLIENTS, say=console.say, more_settings=own, stay=Stay(keep, port)
    ) as stack:
        if not own:  # else a run may reach a real account: whoever wants it unpauses the DAG
            stack.wait_for_dag(DAG_ID)
            stack.unpause(DAG_ID)
        print(welcome(stack, write_environment(stack), sorted(own), keep=keep), flush=True)
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


def own_connections() -> dict[str, str]:
    """Return the connections that the shell's variables say."""
    return {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW_CONN_")}


def ours(name: str) -> bool:
    """Return whether a variable of the environment was set by us."""
    return name.startswith("AIRFLOW")


def welcome(stack: Stack, environment: Path, own: Sequence[str], *, keep: bool) -> str:
    """Say where everything is and what to do first."""
    folder = stack.directory.relative_to(ROOT)
    end = f"deletes the data; logs stay in {folder} until the next start"
    if keep:
        end = f"keeps the data in {folder}; `make up KEEP=1` goes on. Delete it to begin again"
    first = f"press Trigger and choose the mode `full`: the first load of {CLIENTS:,} clients"
    if own:
        first = f"yours are {', '.join(own)}: all DAGs are as you left them, new ones are paused"
    return f"""
  Airflow    {stack.url}/dags/{DAG_ID}
  Login      {LOGIN}, password {PASSWORD}
  First      {first}
  B2CORE     {stack.databases.b2core_url}
  SendGrid   {stack.emulator.base_url}/__admin (the emulator: its contacts, jobs and calls)
  Commands   . {environment.relative_to(ROOT)}; {PROGRAM} status {SYNC}
  Logs       {stack.airflow.home.relative_to(ROOT)}

  Ctrl-C stops everything and {end}.
"""


if __name__ == "__main__":
    sys.exit(main())
