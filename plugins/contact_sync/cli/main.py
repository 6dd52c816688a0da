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
from collections.abc import Collection, Sequence
from contextlib import redirect_stdout
from contextvars import ContextVar
from typing import TextIO

from contact_sync.base.errors import Stopped, told_safely
from contact_sync.base.paths import PLUGINS
from contact_sync.cli.command import PROGRAM
from contact_sync.cli.commands import commands

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
            code = int(options.command(options, _say))
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
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may follow
        from argcomplete import autocomplete

        autocomplete(parser(os.environ.get("COMP_LINE", "").split()))
    given = sys.argv[1:] if arguments is None else arguments
    found = parser(given)
    options = found.parse_args(given)
    if not all(map(_is_text, given)):
        found.error("an argument is no text in UTF-8")
    return options


def _is_text(given: str) -> bool:
    """Whether it can be stored and shown; Python keeps other bytes as surrogates (PEP 383)."""
    return not any("\ud800" <= character <= "\udfff" for character in given)


def stop(number: int, _frame: object) -> None:
    """End as by Ctrl-C: the run is closed with this cause and its lease is free."""
    raise KeyboardInterrupt(number)


def parser(line: Collection[str] | None = None) -> argparse.ArgumentParser:
    """The commands, and the options of those that the words of `line` name; None = of all."""
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
        command.add_to(added, whole=line is None or command.name in line)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_given: object) -> None:
        # Its folder's name has the version; it is what tells Airflow of the connection type, too.
        folder = next(PLUGINS.glob("contact_sync-*.dist-info"), None)
        if folder is None:
            parser.exit(1, f"error: {PLUGINS} has no contact_sync-*.dist-info, so copy that, too\n")
        sys.stdout.write(f"contact_sync {folder.stem.partition('-')[2]}\n")
        parser.exit()


def _say(text: str) -> None:
    _answers.get().write(f"{text}\n")
    _answers.get().flush()  # whoever reads a pipe may wait for it, as with `status --watch`
