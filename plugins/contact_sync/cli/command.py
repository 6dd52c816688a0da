"""What a command of the command line is, and how it explains itself."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contact_sync.config.files import read_definitions

PROGRAM = "python -m contact_sync"
CODES = "0 done, 1 something is wrong, 2 wrong usage"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the command line.

    `meaning`: one line for the list of all commands; `about`: what else its `--help` says.
    `examples`: what to type after `PROGRAM` → what that does. `prints_json`: it has `--json`, and
    then prints one JSON document and nothing else. `codes`: its exit codes, 0, 1 and 2, in words.
    """

    name: str
    meaning: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    carry_out: Callable[[argparse.Namespace], int]
    examples: Mapping[str, str]
    prints_json: bool = False
    about: str = ""
    codes: str = CODES

    def add_to(self, commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        """Make its parser."""
        meaning = f"{self.meaning[:1].upper()}{self.meaning[1:]}."
        one = commands.add_parser(
            self.name,
            help=self.meaning,
            description=f"{meaning}\n\n{self.about}".strip(),
            epilog=f"{self._shown_examples()}\n\nexit codes: {self.codes}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_arguments(one)
        if self.prints_json:
            one.add_argument("--json", action="store_true", help="print JSON and nothing else")
        one.set_defaults(command=self.carry_out)

    def _shown_examples(self) -> str:
        width = max(map(len, self.examples))
        lines = [f"  {PROGRAM} {typed:<{width}}  {does}".rstrip()
                 for typed, does in self.examples.items()]  # fmt: skip
        return "\n".join(["examples:", *lines])


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
