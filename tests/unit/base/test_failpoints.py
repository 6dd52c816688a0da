"""The helper of the crash tests: a process that is killed, stopped or told to end at a point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from contact_sync.base import failpoints
from tests.support.source_files import PLUGINS

CODE = (
    "from contact_sync.base.failpoints import reach; reach('other'); reach('here'); print('past')"
)


def start(variables: dict[str, str]) -> subprocess.Popen[str]:
    """A process that passes two points."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PLUGINS)} | variables
    return subprocess.Popen(
        [sys.executable, "-c", CODE], env=environment, stdout=subprocess.PIPE, text=True
    )


def told(process: subprocess.Popen[str]) -> tuple[str, str | None]:
    """What a process has written until its end; its errors are not looked at."""
    return process.communicate(timeout=20)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [({}, signal.SIGKILL), *[({"CONTACT_SYNC_SIGNAL": s}, signal.Signals[f"SIG{s}"]) for s in
     ("KILL", "TERM")]],
)  # fmt: skip
def test_the_process_gets_the_wanted_signal(wanted: dict[str, str], number: int) -> None:
    """KILL if nothing is said; only at the named point."""
    with start({failpoints.VARIABLE: "here"} | wanted) as process:
        assert told(process) == ("", None)
    assert process.returncode == -number


def test_a_zombie_goes_on_when_it_is_woken() -> None:
    """STOP holds the process at the point until SIGCONT."""
    with start({failpoints.VARIABLE: "here", failpoints.SIGNAL_VARIABLE: "STOP"}) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        process.send_signal(signal.SIGCONT)
        assert told(process) == ("past\n", None)


def test_without_the_variable_nothing_happens() -> None:
    """In production nobody sets it."""
    with start({}) as process:
        assert told(process) == ("past\n", None)
