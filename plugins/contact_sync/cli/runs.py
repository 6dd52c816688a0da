"""The commands `plan` and `run`: all steps of a run in this process."""

from __future__ import annotations

import argparse
import os
import socket

from contact_sync.base.vocabulary import RunKind
from contact_sync.cli.command import Say, add_sync, as_json
from contact_sync.reporting.run_report import run_report, text_report
from contact_sync.run.in_one_process import run_sync
from contact_sync.state.for_people.runs import run_of_id
from contact_sync.state.runs import Options
from contact_sync.sync import Sync

PLAN_EXAMPLES = {
    "plan NAME": "what the next run would send, remove and ask",
    "plan NAME --mode full": "the same, with every client compared",
    "plan NAME --json": "the report for machines",
}
RUN_EXAMPLES = {
    "run NAME": "send what has changed",
    'run NAME --mode full --reason "ticket 12"': "a backfill: compare every client",
    "run NAME --mode resend": "send everything again",
    "run NAME --approve": "also if the plan is above the definition's limits",
    "run NAME --take-over": "although a run that is known to be dead holds the lease",
}
RUN_CODES = "0 the run succeeded, 1 it failed or may not run now, 2 wrong usage"


def add_planning(command: argparse.ArgumentParser) -> None:
    """The options of `plan`."""
    add_sync(command)
    command.add_argument(
        "--mode",
        type=RunKind,
        choices=list(RunKind),
        default=RunKind.INCREMENTAL,
        help="incremental = changed clients, full = all clients, send what differs, "
        "resend = send all again (default: %(default)s)",
    )
    command.add_argument("--reason", help="kept with the run")
    command.add_argument(
        "--retry-rejected",
        action="store_true",
        help="send rejected clients again even if nothing about them has changed",
    )
    command.add_argument(
        "--approve-removals",
        type=int,
        metavar="N",
        help="allow the removal of exactly N clients that are absent from B2CORE",
    )
    command.set_defaults(dry_run=True, take_over=False, approve=False)


def add_running(command: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    add_planning(command)
    command.add_argument(
        "--approve", action="store_true", help="send the plan even if it is above the limits"
    )
    command.add_argument(
        "--take-over",
        action="store_true",
        help="take the lease of a run that is known to be dead",
    )
    command.set_defaults(dry_run=False)


def answer(sync: Sync, options: argparse.Namespace, say: Say) -> int:
    """Run, and say the report; returns the exit code."""
    run_id = run_sync(
        sync,
        options.mode,
        holder=f"command line {socket.gethostname()}:{os.getpid()}",
        options=Options(
            reason=options.reason,
            dry_run=options.dry_run,
            retry_rejected=options.retry_rejected,
            approve_removals=options.approve_removals,
            approve=options.approve,
        ),
        take_over=options.take_over,
    )
    with sync.state.transaction() as cursor:
        row = run_of_id(cursor, options.sync, run_id)
    if row:
        report = run_report(row)
        say(as_json(report.to_json()) if options.json else text_report(report))
    return 0
