"""The commands and their options, from the command line's own parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from local.docs_generator.markdown import code, table


def command_lines(parser: argparse.ArgumentParser) -> list[str]:
    """What each command is for, a table of what can be said to it, examples and exit codes."""
    purpose = " ".join((parser.description or "").split())
    lines = [purpose, "", "Options of all commands, before the command's name:", ""]
    lines += table(("Option", "Meaning"), _options(parser))
    for name, command, purpose in _commands(parser):
        said = command.description or f"{purpose[:1].upper()}{purpose[1:]}."
        lines += ["", f"### {name}"]
        for paragraph in said.strip().split("\n\n"):
            lines += ["", " ".join(paragraph.split())]
        if rows := list(_options(command)):
            lines += ["", *table(("Argument", "Meaning"), rows)]
        lines += ["", "```text", command.epilog or "", "```"]
    return lines


def _commands(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            purposes = {each.dest: each.help or "" for each in action._choices_actions}
            for name, command in action.choices.items():
                yield name, command, purposes[name]


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    formatter = argparse.HelpFormatter(parser.prog)
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        meaning = formatter._expand_help(action) if action.help else ""
        yield code(_shown(action)), meaning


def _shown(action: argparse.Action) -> str:
    """The option with its value, or the argument's name."""
    value = action.metavar or action.dest.upper()
    if action.choices:
        value = "|".join(map(str, action.choices))
    if not action.option_strings:
        return f"[{value}]" if action.nargs == "?" else str(value)
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {value}"
