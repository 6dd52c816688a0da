"""`make up`: the whole system with generated clients, until Ctrl-C."""

from __future__ import annotations

import sys
import time

from local.airflow_settings import LOGIN, PASSWORD
from local.demo import CLIENTS, DAG_ID
from local.stack import Stack
from local.stack_console import Console, run_until_ended

LOOK_SECONDS = 1.0


def main() -> int:
    """Run the stack until a signal ends it."""
    return run_until_ended(keep_up)


def keep_up(console: Console) -> int:
    """Start the stack, print how to use it, and watch over it."""
    console.say("Starting PostgreSQL, the SendGrid emulator and Airflow")
    with Stack.start(name="up", clients=CLIENTS, say=console.say) as stack:
        stack.wait_for_dag(DAG_ID)
        stack.unpause(DAG_ID)
        print(welcome(stack), flush=True)
        while True:
            stack.airflow.processes.check()
            time.sleep(LOOK_SECONDS)


def welcome(stack: Stack) -> str:
    """Say where everything is and what to do first."""
    return f"""
  Airflow    {stack.url}/dags/{DAG_ID}
  Login      {LOGIN}, password {PASSWORD}
  First      press Trigger and choose the mode `full`: the first load of {CLIENTS:,} clients
  B2CORE     {stack.databases.b2core_url}
  SendGrid   {stack.emulator.base_url} (the emulator)
  Logs       {stack.airflow.home}

  Ctrl-C stops everything and deletes the data.
"""


if __name__ == "__main__":
    sys.exit(main())
