"""The command line: the steps of a sync without Airflow's scheduler, for debugging and tests.

Connections come from Airflow's `AIRFLOW_CONN_…` variables or its metadata database.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

from contact_sync.base.errors import Stopped, told_safely
from contact_sync.base.marks import Marks
from contact_sync.base.vocabulary import RunKind
from contact_sync.cli import check_sql as cli_check_sql
from contact_sync.cli import explain as cli_explain
from contact_sync.cli import init as cli_init
from contact_sync.cli import rename as cli_rename
from contact_sync.cli import repair as cli_repair
from contact_sync.cli import status as cli_status
from contact_sync.cli import syncs as cli_syncs
from contact_sync.cli import validate as cli_validate
from contact_sync.cli import verify as cli_verify
from contact_sync.cli.mark_file import MarkFile
from contact_sync.config.definition import json_schema
from contact_sync.contacts.account_fields import text
from contact_sync.lookup.custom_fields import create_fields, read_catalogue
from contact_sync.reporting.run_report import run_report, text_report
from contact_sync.run.in_one_process import run_sync
from contact_sync.state.for_people.runs import run_of_id
from contact_sync.state.migrate import migrate
from contact_sync.state.runs import Options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code.

    0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C, 143 by SIGTERM.
    """
    options = parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("contact_sync").setLevel(logging.INFO)
    # As Airflow's own commands do: otherwise connections in its database aren't looked for.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    before = signal.signal(signal.SIGTERM, stop)
    try:
        return int(options.command(options))
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 only translated
        told = told_safely(error)
        sys.stderr.write(f"error: {told}\n")
        return told.exit_code if isinstance(told, Stopped) else 1
    finally:
        signal.signal(signal.SIGTERM, before)


def stop(number: int, _frame: object) -> None:
    """End as by Ctrl-C: the run is closed with this cause and its lease is free."""
    raise KeyboardInterrupt(number)


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    parser = argparse.ArgumentParser(prog="python -m contact_sync", description=__doc__)
    parser.add_argument("-v", "--verbose", action="store_true", help="also log what libraries say")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, meaning, add_arguments, command in _commands():
        one = commands.add_parser(name, help=meaning)
        add_arguments(one)
        one.set_defaults(command=command)
    return parser


Command = tuple[
    str, str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]
]


def _commands() -> tuple[Command, ...]:
    """Name, meaning, what adds the options, and what carries it out."""
    return (
        ("init", "write statements and a definition for the tables of a connected database",
         cli_init.add_arguments, _init),
        ("check-sql", "show some clients as contacts-to-be, and check the statements",
         cli_check_sql.add_arguments, _check_sql),
        ("validate", "check definitions; with --connect also SendGrid and B2CORE",
         cli_validate.add_arguments, _validate),
        ("plan", "dry run: say what a run would send; changes nothing", _add_planning, _run),
        ("run", "run a sync to its end in this process", _add_running, _run),
        ("repair", "have the next run put right what the newest verification has found",
         cli_repair.add_arguments, _repair),
        ("status", "show the latest runs, rejected clients and dropped values",
         cli_status.add_arguments, _status),
        ("verify", "compare every contact of SendGrid's account with B2CORE; changes nothing",
         cli_verify.add_arguments, _verify),
        ("explain", "say why one contact looks as it does; prints personal data",
         cli_explain.add_arguments, _explain),
        ("fields", "list SendGrid's lists and fields beside the mapping, and what is missing",
         _add_fields, _fields),
        ("rename", "go on under another name: after the `name` in a definition has changed",
         cli_rename.add_arguments, _rename),
        ("syncs", "list the syncs that the state database knows, also without a definition",
         cli_syncs.add_listing, _syncs),
        ("forget", "retire a sync whose definition is gone: nothing is known of it any more",
         cli_syncs.add_forgetting, _forget),
        ("schema", "print the JSON Schema of a definition file", lambda _command: None, _schema),
        ("migrate", "create or upgrade the state database's schema", _add_migrating, _migrate),
    )  # fmt: skip


def _add_planning(command: argparse.ArgumentParser) -> None:
    command.add_argument("sync", help="the definition's name")
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


def _add_running(command: argparse.ArgumentParser) -> None:
    _add_planning(command)
    command.add_argument(
        "--approve", action="store_true", help="send the plan even if it is above the limits"
    )
    command.add_argument(
        "--take-over",
        action="store_true",
        help="take the lease of a run that is known to be dead",
    )
    command.set_defaults(dry_run=False)


def _add_fields(command: argparse.ArgumentParser) -> None:
    command.add_argument("sync", help="the definition's name")
    command.add_argument(
        "--create", action="store_true", help="create the missing custom fields, after asking"
    )
    command.add_argument("--yes", action="store_true", help="create them without asking")


def _add_migrating(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--connection", default="contact_sync_state", help="Airflow connection id (%(default)s)"
    )


def _init(options: argparse.Namespace) -> int:
    return cli_init.answer(options, _say)


def _check_sql(options: argparse.Namespace) -> int:
    return cli_check_sql.answer(options, _say)


def _validate(options: argparse.Namespace) -> int:
    return cli_validate.answer(options, _say)


def _run(options: argparse.Namespace) -> int:
    with _open(options.sync, MarkFile(options.sync)) as sync:
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
            _say(text_report(run_report(row)))
    return 0


def _repair(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        _say(cli_repair.answer(sync, options))
    return 0


def _status(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        for line in cli_status.lines(sync, options):
            _say(line)
    return 0


def _verify(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        said, code = cli_verify.answer(sync, options)
    _say(said)
    return code


def _explain(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        said, code = cli_explain.answer(sync, options)
    _say(said)
    return code


def _fields(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        found = read_catalogue(sync)
        _say(text(found))
        if not (options.create and found.missing):
            return 1 if found.missing else 0
        question = f"Create {len(found.missing)} custom fields? Their types can't be changed later."
        if not (options.yes or _agrees(question)):
            _say("Nothing was created")
            return 1
        for field, field_id in zip(found.missing, create_fields(sync, found.missing), strict=True):
            _say(f"Created {field.name} ({field.type}), id {field_id}")
    return 0


def _agrees(question: str) -> bool:
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _rename(options: argparse.Namespace) -> int:
    _say(cli_rename.answer(options))
    return 0


def _syncs(options: argparse.Namespace) -> int:
    _say(cli_syncs.listing(options))
    return 0


def _forget(options: argparse.Namespace) -> int:
    said, code = cli_syncs.forget(options, _agrees)
    _say(said)
    return code


def _schema(_options: argparse.Namespace) -> int:
    _say(json.dumps(json_schema(), indent=2))
    return 0


def _migrate(options: argparse.Namespace) -> int:
    from contact_sync.airflow_edge.dsn import postgres_dsn

    migrate(postgres_dsn(options.connection))
    _say("The state database's schema is up to date")
    return 0


def _open(name: str, marks: Marks | None = None) -> Any:
    from contact_sync.airflow_edge.handles import open_sync

    return open_sync(name, marks)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
