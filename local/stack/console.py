"""What `make demo` and `make up` share: lines with the elapsed time, signals, and their errors."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

from local.airflow_stack.api import AirflowApiError
from local.airflow_stack.processes import AirflowError
from local.postgres.server import ClusterError
from local.sendgrid_emulator.process import EmulatorError
from local.stack.directory import StackError

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KNOWN_ERRORS = (AirflowError, AirflowApiError, ClusterError, EmulatorError, StackError)


class Console:
    """Prints lines with the seconds since it was made."""

    def __init__(self) -> None:
        """Start the clock."""
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds since the start."""
        return time.monotonic() - self._start

    def say(self, text: str) -> None:
        """Print a line at once, also into a pipe."""
        print(f"[{self.seconds:6.1f} s] {text}", flush=True)


def run_until_ended(work: Callable[[Console], int]) -> int:
    """Do the work and return its exit status; an interrupt or a known error gives no traceback."""
    console = Console()
    os.umask(0o077)  # logs and settings of what is started are for this user only
    for number in ENDING:
        signal.signal(number, end_once)
    try:
        return work(console)
    except KNOWN_ERRORS as error:
        console.say(f"Failed: {error}")
        return 1
    except Interrupted as ended:
        console.say("Ended before its time; everything is stopped")
        return 128 + ended.number


class Interrupted(BaseException):
    """A signal asked us to end; not an Exception, so that nothing takes it for an error."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def end_once(number: int, _frame: object) -> None:
    """Leave by way of every `finally` clause, and let no second signal disturb those."""
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    print("\nStopping everything; this takes some seconds", file=sys.stderr, flush=True)
    raise Interrupted(number)
