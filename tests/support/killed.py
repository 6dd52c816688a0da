"""A run in a process of its own that is killed, or told to stop, at a point."""

from __future__ import annotations

import os
import signal
import sys

from contact_sync.base import failpoints
from contact_sync.base.errors import Stopped, told_safely
from contact_sync.cli import main as cli
from tests.support.connections import kept_connections
from tests.support.crashes import KINDS
from tests.support.databases import make_batches_older
from tests.support.forks import FORKS
from tests.support.world import World


def hit(point: str, world: World, kind: str, signal_name: str = "KILL") -> int:
    """Run in a process of its own that gets the signal at the point; returns its exit code.

    A file that hasn't left then never will: the next run needn't wait for it until `job_hours`.
    """
    if point == "job_pending":  # the first look must find the job still at work
        world.emulator.admin.settings(delay=1.0)
    child = FORKS.Process(target=_run, args=(point, world.portable(), kind, signal_name))
    child.start()
    child.join(60)
    if child.exitcode is None:
        child.kill()
    world.emulator.admin.settings(delay=0.05)
    if point == "upload_announced":
        make_batches_older(world.state_url, 3600)
    return child.exitcode or 0


def _run(point: str, world: World, kind: str, signal_name: str) -> None:
    os.environ[failpoints.VARIABLE] = point
    os.environ[failpoints.SIGNAL_VARIABLE] = signal_name
    signal.signal(signal.SIGTERM, cli.stop)
    run = KINDS[kind].run
    try:
        with kept_connections():
            run(world) if run else world.run(KINDS[kind].mode, **KINDS[kind].options)
    except (Stopped, KeyboardInterrupt) as error:  # as in the command line's main
        told = told_safely(error)
        sys.exit(told.exit_code if isinstance(told, Stopped) else 1)
