"""Runs in processes of their own that get a signal at a fail point, and waits that pass quickly."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from types import SimpleNamespace

import psutil
import pytest
import tenacity.nap

from contact_sync.base import failpoints
from contact_sync.base.errors import FatalError, Stopped, SyncError, told_safely
from contact_sync.cli import main as cli
from contact_sync.run import erasing, in_one_process, settle_earlier_runs
from contact_sync.run.sending import removal_targets
from contact_sync.sendgrid import answers
from tests.support.connections import kept_connections
from tests.support.forks import FORKS
from tests.support.world import World

REFUSED, FENCED = 3, 5
PAUSE = 0.05
JOIN_SECONDS = 180
LAG_MARGIN = 0.7


class WaitsTooLongError(BaseException):
    """A run waits without bound; nothing in the product may catch it."""


class Patience:
    """Until when runs may wait."""

    ends = math.inf


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """A run that waits in here for too long is at fault."""
    Patience.ends = time.monotonic() + JOIN_SECONDS
    try:
        yield
    except WaitsTooLongError:
        raise AssertionError(f"A run still waits after {JOIN_SECONDS} s") from None
    finally:
        Patience.ends = math.inf


def a_moment(seconds: float) -> None:
    """Stands in for `time.sleep`: a long pause becomes many short ones."""
    if time.monotonic() > Patience.ends:
        raise WaitsTooLongError
    time.sleep(min(seconds, PAUSE))


HASTY = SimpleNamespace(sleep=a_moment, time=time.time, monotonic=time.monotonic)


def hurry(patch: pytest.MonkeyPatch, lag: float = 0.0) -> None:
    """Make the waits of a run short; those for jobs and quarantines are asked again and again.

    `lag`: how many seconds the emulator's search lags; the product reckons with a little more.
    """
    patch.setattr(settle_earlier_runs, "POLL_SECONDS", PAUSE)
    patch.setattr(removal_targets, "SEARCH_LAG_SECONDS", lag and lag + LAG_MARGIN)
    patch.setattr(removal_targets, "SHOWN_SECONDS", 1.0 + lag)  # longer than the slowest removal
    patch.setattr(erasing, "SEARCH_LAG_SECONDS", lag and lag + LAG_MARGIN)
    patch.setattr(erasing, "SHOWN_SECONDS", 1.0 + lag)
    for module in (in_one_process, tenacity.nap, answers):
        patch.setattr(module, "time", HASTY)


def start(
    world: World, point: str, signal_name: str, mode: str, *, take_over: bool, lag: float
) -> BaseProcess:
    """Begin a run in a child process; wait until it has ended or, with STOP, stands still."""
    arguments = (world.portable(), point, signal_name, mode, take_over, lag)
    child: BaseProcess = FORKS.Process(target=_run, args=arguments)
    child.start()
    deadline = time.monotonic() + JOIN_SECONDS
    while child.is_alive() and not stands_still(child):
        child.join(0.01)
        if time.monotonic() > deadline:
            child.kill()
            raise AssertionError(f"A {mode} run didn't end within {JOIN_SECONDS} s")
    return child


def stands_still(child: BaseProcess) -> bool:
    """Whether the process has been stopped by a signal and not been woken."""
    try:
        return bool(psutil.Process(child.pid).status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:  # it has just ended
        return False


def wake(child: BaseProcess) -> int:
    """Let a stopped run go on to its end; returns its exit code."""
    assert child.pid is not None
    deadline = time.monotonic() + JOIN_SECONDS
    while child.exitcode is None:
        if stands_still(child):  # a point may be reached more than once
            os.kill(child.pid, signal.SIGCONT)
        child.join(0.01)
        if time.monotonic() > deadline:
            child.kill()
            raise AssertionError(f"A run that woke up didn't end within {JOIN_SECONDS} s")
    return child.exitcode


def _run(
    world: World, point: str, signal_name: str, mode: str, take_over: bool, lag: float
) -> None:
    os.environ[failpoints.VARIABLE] = point
    os.environ[failpoints.SIGNAL_VARIABLE] = signal_name
    signal.signal(signal.SIGTERM, cli.stop)
    hurry(pytest.MonkeyPatch(), lag)
    try:
        with kept_connections():
            world.run(mode, take_over=take_over)
    except (SyncError, KeyboardInterrupt) as error:
        told = told_safely(error)
        if isinstance(told, Stopped):
            sys.exit(told.exit_code)
        lost = isinstance(told, FatalError) and ("lease" in str(told) or "is over" in str(told))
        sys.exit(FENCED if lost else REFUSED)
