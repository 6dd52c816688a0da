"""What a command of the command line is, and how it explains itself."""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contact_sync.config.files import read_definitions

PROGRAM = "python -m contact_sync"
CODES = "0 done, 1 something is wrong, 2 wrong usage"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a command takes and does.

    `carry_out`: takes the options and what says an answer, and returns the exit code. `examples`:
    what to type after `PROGRAM` → what that does. `prints_json`: it has `--json`, and then prints
    one JSON document and nothing else. `about`: what else its `--help` says. `codes`: its exit
    codes, 0, 1 and 2, in words.
    """

    add_arguments: Callable[[argparse.ArgumentParser], None]
    carry_out: Callable[[argparse.Namespace, Say], int]
    examples: Mapping[str, str]
    prints_json: bool = False
    about: str = ""
    codes: str = CODES


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the command line.

    `meaning`: one line for the list of all commands. `usage` imports what the command works with,
    and only that: to import what every command needs took longer than most of them work.
    """

    name: str
    meaning: str
    usage: Callable[[], Usage]

    def add_to(
        self, commands: argparse._SubParsersAction[argparse.ArgumentParser], *, whole: bool
    ) -> None:
        """Make its parser; not `whole`: only its line in the list of all commands."""
        if not whole:
            commands.add_parser(self.name, help=self.meaning)
            return
        with importing():
            usage = self.usage()
        meaning = f"{self.meaning[:1].upper()}{self.meaning[1:]}."
        one = commands.add_parser(
            self.name,
            help=self.meaning,
            description=f"{meaning}\n\n{usage.about}".strip(),
            epilog=f"{_shown(usage.examples)}\n\nexit codes: {usage.codes}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        usage.add_arguments(one)
        if usage.prints_json:
            one.add_argument("--json", action="store_true", help="print JSON and nothing else")
        one.set_defaults(command=usage.carry_out)


def _shown(examples: Mapping[str, str]) -> str:
    width = max(map(len, examples))
    lines = [f"  {PROGRAM} {typed:<{width}}  {does}".rstrip() for typed, does in examples.items()]
    return "\n".join(["examples:", *lines])


@contextmanager
def importing() -> Iterator[None]:
    """Imports leave nothing to collect: looking for it costs a quarter of them."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


def add_sync(command: argparse.ArgumentParser, **more: Any) -> None:
    """The argument that names a sync; shells complete it."""
    action = command.add_argument(
        "sync", **({"metavar": "NAME", "help": "the definition's name"} | more)
    )
    action.completer = _names  # type: ignore[attr-defined] # argcomplete looks for it


def _names(**_known: object) -> list[str]:
    return sorted(read_definitions().by_name)


def as_json(value: Any) -> str:
    """A document for machines; a time has the form of ISO 8601."""
    return json.dumps(value, indent=2, default=_as_text)


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
