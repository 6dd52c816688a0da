"""The command line: set a sync up, look at it, and run it without Airflow's scheduler.

Connections are Airflow's: those of its database (Admin > Connections) or of `AIRFLOW_CONN_…`
variables. Answers go to standard output; logs, questions and errors to standard error.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from contextvars import ContextVar
from typing import Any, TextIO

from contact_sync.base.errors import Stopped, told_safely
from contact_sync.base.marks import Marks
from contact_sync.base.paths import PLUGINS
from contact_sync.cli import check_sql as cli_check_sql
from contact_sync.cli import erase as cli_erase
from contact_sync.cli import erasures as cli_erasures
from contact_sync.cli import explain as cli_explain
from contact_sync.cli import fields as cli_fields
from contact_sync.cli import init as cli_init
from contact_sync.cli import migrate as cli_migrate
from contact_sync.cli import rename as cli_rename
from contact_sync.cli import repair as cli_repair
from contact_sync.cli import runs as cli_runs
from contact_sync.cli import status as cli_status
from contact_sync.cli import suppressions as cli_suppressions
from contact_sync.cli import syncs as cli_syncs
from contact_sync.cli import validate as cli_validate
from contact_sync.cli import verify as cli_verify
from contact_sync.cli.command import PROGRAM, Command, as_json
from contact_sync.cli.mark_file import MarkFile
from contact_sync.config.definition import json_schema

NO_READER = 128 + signal.SIGPIPE
"""The exit code that shells give to a program whose reader went away: `status NAME | head -1`."""
_answers: ContextVar[TextIO] = ContextVar("_answers")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code.

    0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C, 143 by SIGTERM, 141: nobody reads on.
    """
    options = _parsed(arguments)
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("contact_sync").setLevel(logging.INFO)
    # As Airflow's own commands do: otherwise connections in its database aren't looked for.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    before = signal.signal(signal.SIGTERM, stop)
    _answers.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):  # Airflow's logging writes to standard output
            code = int(options.command(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # Otherwise Python tries once more at its end (library/signal.html#note-on-sigpipe).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_READER
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 only translated
        told = told_safely(error)
        sys.stderr.write(f"error: {told}\n")
        return told.exit_code if isinstance(told, Stopped) else 1
    finally:
        signal.signal(signal.SIGTERM, before)
    return code


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    found = parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may follow
        from argcomplete import autocomplete

        autocomplete(found)
    return found.parse_args(arguments)


def stop(number: int, _frame: object) -> None:
    """End as by Ctrl-C: the run is closed with this cause and its lease is free."""
    raise KeyboardInterrupt(number)


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=__doc__,
        epilog=f"{PROGRAM} COMMAND --help has examples of each command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="also log what libraries say")
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="print the product's version and end"
    )
    added = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in commands():
        command.add_to(added)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_given: object) -> None:
        # Its folder's name has the version; it is what tells Airflow of the connection type, too.
        folder = next(PLUGINS.glob("contact_sync-*.dist-info"), None)
        if folder is None:
            parser.exit(1, f"error: {PLUGINS} has no contact_sync-*.dist-info, so copy that, too\n")
        sys.stdout.write(f"contact_sync {folder.stem.partition('-')[2]}\n")
        parser.exit()


def commands() -> tuple[Command, ...]:
    """All of them, in the order in which a new sync needs them."""
    return (
        Command("init", "write statements and a definition for the tables of a connected database",
                cli_init.add_arguments, _init, cli_init.EXAMPLES,
                about=cli_init.ABOUT, codes=cli_init.CODES),
        Command("check-sql", "show some clients as contacts-to-be, and check the statements",
                cli_check_sql.add_arguments, _check_sql, cli_check_sql.EXAMPLES,
                prints_json=True, codes=cli_check_sql.CODES),
        Command("validate", "check definitions; with --connect also SendGrid and B2CORE",
                cli_validate.add_arguments, _validate, cli_validate.EXAMPLES,
                prints_json=True, codes=cli_validate.CODES),
        Command("plan", "dry run: say what a run would send; changes nothing",
                cli_runs.add_planning, _run, cli_runs.PLAN_EXAMPLES, prints_json=True,
                about=cli_runs.TRIAL),
        Command("run", "run a sync to its end in this process",
                cli_runs.add_running, _run, cli_runs.RUN_EXAMPLES,
                prints_json=True, about=cli_runs.TRIAL, codes=cli_runs.RUN_CODES),
        Command("status", "show the latest runs, rejected clients and dropped values",
                cli_status.add_arguments, _status, cli_status.EXAMPLES, prints_json=True),
        Command("suppressions", "list who gets no mail from SendGrid, and why; prints addresses",
                cli_suppressions.add_arguments, _suppressions, cli_suppressions.EXAMPLES,
                prints_json=True, about=cli_suppressions.ABOUT),
        Command("verify", "compare every contact of SendGrid's account with B2CORE",
                cli_verify.add_arguments, _verify, cli_verify.EXAMPLES,
                prints_json=True, about=cli_verify.ABOUT, codes=cli_verify.CODES),
        Command("repair", "have the next run put right what the newest verification has found",
                cli_repair.add_arguments, _repair, cli_repair.EXAMPLES, prints_json=True),
        Command("explain", "say why one contact looks as it does; prints personal data",
                cli_explain.add_arguments, _explain, cli_explain.EXAMPLES,
                prints_json=True, codes=cli_explain.CODES),
        Command("erase", "forget people for good, at SendGrid and here; they don't come back",
                cli_erase.add_arguments, _erase, cli_erase.EXAMPLES,
                prints_json=True, about=cli_erase.ABOUT, codes=cli_erase.CODES),
        Command("erasures", "list who was erased, without saying who it was; their evidence",
                cli_erasures.add_arguments, _erasures, cli_erasures.EXAMPLES,
                prints_json=True, codes=cli_erasures.CODES),
        Command("tombstones", "lift the tombstones of an erasure, so that the person may come back",
                cli_erasures.add_lifting, _tombstones, cli_erasures.LIFT_EXAMPLES,
                prints_json=True),
        Command("fields", "list SendGrid's lists and fields beside the mapping, what is missing",
                cli_fields.add_arguments, _fields, cli_fields.EXAMPLES,
                prints_json=True, codes=cli_fields.CODES),
        Command("rename", "go on under another name: after the `name` in a definition has changed",
                cli_rename.add_arguments, _rename, cli_rename.EXAMPLES),
        Command("syncs", "list the syncs that the state database knows, also without a definition",
                cli_syncs.add_listing, _syncs, cli_syncs.LIST_EXAMPLES, prints_json=True),
        Command("forget", "retire a sync whose definition is gone: nothing is known of it any more",
                cli_syncs.add_forgetting, _forget, cli_syncs.FORGET_EXAMPLES,
                about=cli_syncs.FORGET_ABOUT),
        Command("schema", "print the JSON Schema of a definition file",
                lambda _command: None, _schema,
                {"schema > include/syncs/sync.schema.json": "for editors"}, prints_json=True),
        Command("migrate", "create or upgrade the state database's schema",
                cli_migrate.add_arguments, _migrate, cli_migrate.EXAMPLES,
                about=cli_migrate.ABOUT, codes=cli_migrate.CODES),
    )  # fmt: skip


def _init(options: argparse.Namespace) -> int:
    return cli_init.answer(options, _say)


def _check_sql(options: argparse.Namespace) -> int:
    return cli_check_sql.answer(options, _say)


def _validate(options: argparse.Namespace) -> int:
    return cli_validate.answer(options, _say)


def _run(options: argparse.Namespace) -> int:
    with _open(options.sync, MarkFile(options.sync)) as sync:
        return cli_runs.answer(sync, options, _say)


def _repair(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        return cli_repair.answer(sync, options, _say)


def _status(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        for line in cli_status.lines(sync, options):
            _say(line)
    return 0


def _suppressions(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        for line in cli_suppressions.lines(sync, options):
            _say(line)
    return 0


def _verify(options: argparse.Namespace) -> int:
    with _open(options.sync, MarkFile(options.sync)) as sync:
        return cli_verify.answer(sync, options, _say)


def _explain(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        said, code = cli_explain.answer(sync, options)
    _say(said)
    return code


def _erase(options: argparse.Namespace) -> int:
    with _open(options.sync, MarkFile(options.sync)) as sync:
        return cli_erase.answer(sync, options, _say, _agrees)


def _erasures(options: argparse.Namespace) -> int:
    with _open(options.sync, MarkFile(options.sync)) as sync:
        return cli_erasures.answer(sync, options, _say)


def _tombstones(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        return cli_erasures.lift(sync, options, _say)


def _fields(options: argparse.Namespace) -> int:
    with _open(options.sync) as sync:
        return cli_fields.answer(sync, options, _say, _agrees)


def _agrees(question: str) -> bool:
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
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
    _say(as_json(json_schema()))
    return 0


def _migrate(options: argparse.Namespace) -> int:
    return cli_migrate.answer(options, _say)


def _open(name: str, marks: Marks | None = None) -> Any:
    from contact_sync.airflow_edge.handles import open_sync

    return open_sync(name, marks)


def _say(text: str) -> None:
    _answers.get().write(f"{text}\n")
