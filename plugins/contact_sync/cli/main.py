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
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contact_sync.base import words
from contact_sync.base.errors import Stopped, told_safely
from contact_sync.base.vocabulary import RunKind
from contact_sync.cli import explain as cli_explain
from contact_sync.cli import rename as cli_rename
from contact_sync.config.definition import json_schema
from contact_sync.config.files import read_definitions
from contact_sync.contacts.account_fields import text
from contact_sync.lookup.custom_fields import create_fields, read_catalogue
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.run_report import run_report, text_report
from contact_sync.run.check_setup import check_setup
from contact_sync.run.in_one_process import run_sync
from contact_sync.state.for_people import rejected
from contact_sync.state.for_people.client import stale_clients
from contact_sync.state.for_people.runs import latest_runs, run_of_id
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.state.migrate import migrate
from contact_sync.state.runs import Options

LISTED = 10_000
"""So many rejected or stale clients are listed."""


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

    validate = commands.add_parser(
        "validate", help="check definitions; with --connect also SendGrid and B2CORE"
    )
    validate.add_argument("sync", nargs="?", help="one sync; default: all files")
    validate.add_argument(
        "--connect",
        action="store_true",
        help="also check key, list, fields and SQL columns; only reads",
    )
    validate.set_defaults(command=_validate)

    plan = commands.add_parser("plan", help="dry run: say what a run would send; changes nothing")
    run = commands.add_parser("run", help="run a sync to its end in this process")
    for command, dry_run in ((plan, True), (run, False)):
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
        command.set_defaults(command=_run, dry_run=dry_run, take_over=False, approve=False)
    run.add_argument(
        "--approve", action="store_true", help="send the plan even if it is above the limits"
    )
    run.add_argument(
        "--take-over",
        action="store_true",
        help="take the lease of a run that is known to be dead",
    )

    status = commands.add_parser("status", help="show the latest runs and the rejected clients")
    status.add_argument("sync", help="the definition's name")
    status.add_argument("--runs", type=int, default=5, help="how many (default: %(default)s)")
    status.add_argument("--json", action="store_true", help="print JSON, for programs")
    status.add_argument("--rejected", action="store_true", help="list rejected clients (ids only)")
    status.add_argument(
        "--stale", action="store_true", help="list clients with values that SendGrid can't clear"
    )
    status.set_defaults(command=_status)

    explain = commands.add_parser(
        "explain", help="say why one contact looks as it does; prints personal data"
    )
    cli_explain.add_arguments(explain)
    explain.set_defaults(command=_explain)

    fields = commands.add_parser(
        "fields", help="list SendGrid's lists and fields beside the mapping, and what is missing"
    )
    fields.add_argument("sync", help="the definition's name")
    fields.add_argument(
        "--create", action="store_true", help="create the missing custom fields, after asking"
    )
    fields.add_argument("--yes", action="store_true", help="create them without asking")
    fields.set_defaults(command=_fields)

    renamed = commands.add_parser(
        "rename", help="go on under another name: after the `name` in a definition has changed"
    )
    cli_rename.add_arguments(renamed)
    renamed.set_defaults(command=_rename)

    schema = commands.add_parser("schema", help="print the JSON Schema of a definition file")
    schema.set_defaults(command=_schema)
    upgrade = commands.add_parser("migrate", help="create or upgrade the state database's schema")
    upgrade.add_argument(
        "--connection", default="contact_sync_state", help="Airflow connection id (%(default)s)"
    )
    upgrade.set_defaults(command=_migrate)
    return parser


def _validate(options: argparse.Namespace) -> int:
    found = read_definitions()
    for message in found.broken.values():
        sys.stderr.write(f"error: {message}\n")
    names = [options.sync] if options.sync else sorted(found.by_name)
    if options.connect:
        for name in names:
            with _open(name) as sync:
                check_setup(sync, None)
    elif options.sync and options.sync not in found.by_name:
        sys.stderr.write(f"error: there is no sync {options.sync!r}\n")
        return 1
    for name in names:
        _say(f"{name}: {'definition and setup are' if options.connect else 'definition is'} right")
    return 1 if found.broken else 0


def _run(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
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


def _status(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        sync.state.check_schema()
        with sync.state.transaction() as cursor:
            rows = latest_runs(cursor, [options.sync], options.runs)
            reports = [run_report(row) for row in rows]
            rejected = _rejected(cursor, options.sync) if options.rejected else None
            stale = _stale(cursor, options.sync) if options.stale else None
    if options.json:
        body: dict[str, Any] = {"sync": options.sync, "runs": reports}
        if rejected is not None:
            body["rejected"] = rejected
        if stale is not None:
            body["stale"] = stale
        _say(json.dumps(body, indent=2, default=_iso))
        return 0
    _say("\n\n".join(map(text_report, reports)) or f"{options.sync}: no run yet")
    for row in rejected or []:
        why = words.reason(row["reason"], row["detail"])
        _say(f"client {row['client_id']}: {row['field']}: {why} since {row['since']}")
    for row in stale or []:
        _say(f"client {row['client_id']}: stale value in {', '.join(row['fields'])}")
    return 0


def _rejected(cursor: Cursor, name: str) -> list[dict[str, Any]]:
    """No address; the keys are part of `status --json`."""
    row = sync_row(cursor, name)
    which = rejected.Filter(row.sync_id) if row else None
    return [
        {"client_id": client.client_id, "field": client.field, "reason": client.reason,
         "detail": client.detail, "tries": client.tries, "since": client.first_seen}
        for client in (rejected.page_of_clients(cursor, which, LISTED) if which else [])
    ]  # fmt: skip


def _stale(cursor: Cursor, name: str) -> list[dict[str, Any]]:
    row = sync_row(cursor, name)
    return stale_clients(cursor, row.sync_id, LISTED) if row else []


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
        if not (options.yes or _agrees(f"Create {len(found.missing)} custom fields?")):
            _say("Nothing was created")
            return 1
        for field, field_id in zip(found.missing, create_fields(sync, found.missing), strict=True):
            _say(f"Created {field.name} ({field.type}), id {field_id}")
    return 0


def _agrees(question: str) -> bool:
    sys.stdout.write(f"{question} Their types can't be changed later. [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _rename(options: argparse.Namespace) -> int:
    _say(cli_rename.answer(options))
    return 0


def _schema(_options: argparse.Namespace) -> int:
    _say(json.dumps(json_schema(), indent=2))
    return 0


def _migrate(options: argparse.Namespace) -> int:
    from contact_sync.airflow_edge.dsn import postgres_dsn

    migrate(postgres_dsn(options.connection))
    _say("The state database's schema is up to date")
    return 0


def _open(name: str) -> Any:
    from contact_sync.airflow_edge.handles import open_sync

    return open_sync(name)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
