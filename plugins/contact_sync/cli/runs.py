"""The commands `plan` and `run`: all steps of a run in this process."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from contact_sync.base.command_line import own_holder
from contact_sync.base.errors import FatalError, Stopped, SyncError
from contact_sync.base.vocabulary import MAX_SAMPLE, RunKind
from contact_sync.cli.check_sql import sample
from contact_sync.cli.command import PROGRAM, Say, add_sync, as_json
from contact_sync.cli.progress import progress_of_run
from contact_sync.lookup.plan_of_run import plan_of_run
from contact_sync.reporting.conclusion import conclude
from contact_sync.reporting.explanation import Explanation
from contact_sync.reporting.explanation_text import text as explained
from contact_sync.reporting.failure import NOT_KNOWN, Failure, cause_of, next_run, sent_by
from contact_sync.reporting.run_report import run_report, text_report
from contact_sync.reporting.watching import schedule_in_words
from contact_sync.run.in_one_process import run_sync
from contact_sync.state.for_people.runs import run_of_id
from contact_sync.state.runs import Options, load_run
from contact_sync.sync import Sync

PLAN_EXAMPLES = {
    "plan NAME": "what the next run would send, remove and ask",
    "plan NAME --mode full": "the same, with every client compared",
    "plan NAME --sample 10": "ten clients as contacts-to-be, with decisions and reasons",
    "plan NAME --client KEY": "this one; may be repeated",
    "plan NAME --json": "the report for machines",
}
RUN_EXAMPLES = {
    "run NAME": "send what has changed",
    'run NAME --mode full --reason "ticket 12"': "a backfill: compare every client",
    "run NAME --mode resend": "send everything again",
    "run NAME --approve": "also if the plan is above the definition's limits",
    "run NAME --sample 10": "a trial: send these ten, and nobody else",
    "run NAME --client KEY": "a trial with this client; may be repeated",
    "run NAME --take-over": "although a run that is known to be dead holds the lease",
}
TRIAL = """\
With --client or --sample only these clients are looked at: a trial, with the same checks, limits
and lease as every run, and the same proof that each client is accounted for. Nobody is removed or
taken for gone, and the next ordinary run reads every change as if there had been no trial."""
RUN_CODES = "0 the run succeeded, 1 it failed or may not run now, 2 wrong usage"


def add_planning(command: argparse.ArgumentParser) -> None:
    """The options of `plan`."""
    _add_common(command)
    command.add_argument(
        "--show-values",
        action="store_true",
        help="with --client or --sample: don't mask values; prints personal data",
    )
    command.set_defaults(dry_run=True, take_over=False, approve=False)


def _add_common(command: argparse.ArgumentParser) -> None:
    add_sync(command)
    command.add_argument(
        "--mode",
        type=str,  # so that a wrong one is told with those that are possible
        choices=[str(kind) for kind in RunKind],
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
    chosen = command.add_mutually_exclusive_group()
    chosen.add_argument(
        "--client", action="append", metavar="KEY",
        help="only this client: its key in B2CORE, or its id; may be repeated",
    )  # fmt: skip
    chosen.add_argument(
        "--sample", type=sample, metavar="N",
        help=f"only so many clients, at most {MAX_SAMPLE:,}, the same ones each time",
    )  # fmt: skip


def add_running(command: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    _add_common(command)
    command.add_argument(
        "--approve", action="store_true", help="send the plan even if it is above the limits"
    )
    command.add_argument(
        "--take-over",
        action="store_true",
        help="take the lease of a run that is known to be dead",
    )
    command.set_defaults(dry_run=False, show_values=False)


def answer(sync: Sync, options: argparse.Namespace, say: Say) -> int:
    """Run, and say the report; returns the exit code."""
    only = _chosen(sync, options)
    if only is not None and options.approve_removals is not None:
        sys.stderr.write("error: --approve-removals: nobody is removed with --client or --sample\n")
        return 2
    try:
        with progress_of_run(sync, options):
            run_id = _run(sync, options, only)
    except SyncError as error:
        if error.run_id is None:  # no run had begun: there is no more to say than the error
            raise
        sys.stderr.write("\n".join(_failure(sync, error).lines) + "\n")
        return error.exit_code if isinstance(error, Stopped) else 1
    with sync.state.transaction() as cursor:
        row = run_of_id(cursor, options.sync, run_id)
    if row is None:
        return 0
    report, clients = (
        run_report(row),
        _explained(sync, run_id, only, masked=not options.show_values),
    )
    plan = plan_of_run(sync, row) if options.dry_run else None
    if options.json:
        more = {} if only is None else {"clients": _entries(clients)}
        planned = {"plan": plan.to_json()} if plan else {}
        say(as_json(report.to_json() | planned | more))
        return 0
    say("\n".join([text_report(report), *(plan.lines() if plan else [])]))
    for each in clients:
        said = f"Client {each.called(each.client_id)}: {conclude(each)}"
        say(f"\n{explained(each)}" if options.dry_run else said)
    return 0


def _run(sync: Sync, options: argparse.Namespace, only: tuple[int, ...] | None) -> int:
    return run_sync(
        sync,
        RunKind(options.mode),
        holder=own_holder(),
        options=Options(
            reason=options.reason,
            dry_run=options.dry_run,
            retry_rejected=options.retry_rejected,
            approve_removals=options.approve_removals,
            approve=options.approve,
            only=only,
        ),
        take_over=options.take_over,
    )


def _failure(sync: Sync, error: SyncError) -> Failure:
    """What is told of a run that has failed, with what it had sent by then."""
    name = sync.definition.name
    try:
        with sync.state.transaction() as cursor:
            sent = sent_by(run_of_id(cursor, name, error.run_id or 0))
    except SyncError:  # the error itself says so, or hides nothing by this one
        sent = NOT_KNOWN
    definition = sync.definition
    has_times = definition.schedule and definition.sends
    schedule = schedule_in_words(definition, "Airflow's time zone") if has_times else None
    again = f"{PROGRAM} run {name}"
    return Failure(
        cause_of(error, definition.connections),
        sent,
        next_run(schedule),
        f"Correct what is named above, then: {again}"
        if isinstance(error, FatalError)
        else f"Try again: {again}. If it fails again, correct what is named above",
    )


def _chosen(sync: Sync, options: argparse.Namespace) -> tuple[int, ...] | None:
    """The clients of a trial. What looks clients up brings pandas along, which a run that finds
    nothing to do lives without."""
    if options.client is None and options.sample is None:
        return None
    from contact_sync.lookup.chosen_clients import chosen_clients

    return chosen_clients(sync, options.client, options.sample)


def _entries(clients: list[Explanation]) -> list[dict[str, Any]]:
    from contact_sync.cli.explain import entry

    return [entry(each) for each in clients]


def _explained(
    sync: Sync, run_id: int, only: tuple[int, ...] | None, *, masked: bool
) -> list[Explanation]:
    """A trial's clients, by the list and fields that the run has found."""
    if only is None:
        return []
    from contact_sync.lookup.explain import explain_client

    destination = load_run(sync.state, run_id).destination
    found = [explain_client(sync, client, destination=destination) for client in only]
    return [each.masked() for each in found] if masked else found
