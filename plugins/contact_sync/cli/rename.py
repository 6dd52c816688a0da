"""The command `rename`: a definition has another name, and its sync goes on with what it knows."""

from __future__ import annotations

import argparse

from contact_sync.base.errors import ConfigError
from contact_sync.config.files import read_definition, read_definitions
from contact_sync.state.syncs import rename_sync

EXAMPLES = {"rename OLD NEW": "after `name: OLD` in the definition has become `name: NEW`"}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument("old", metavar="OLD", help="the name that the sync has run under so far")
    command.add_argument("new", metavar="NEW", help="the name that its definition has now")


def answer(options: argparse.Namespace) -> str:
    """Rename the sync in the state database; returns what to say.

    Raises ConfigError when there is no definition of the new name, when it is the old one, or as
    `rename_sync` does.
    """
    from contact_sync.airflow_edge.handles import open_state

    if options.old == options.new:
        raise ConfigError(f"Both names are {options.new!r}: nothing was renamed")
    definition = read_definition(options.new)
    state = open_state(definition)
    state.check_schema()
    with state.transaction() as cursor:
        rename_sync(cursor, options.old, options.new)
    kept = " Its old definition is still there: delete the file" if _is_defined(options.old) else ""
    return f"{options.old} is {options.new} now and goes on with what it knows.{kept}"


def _is_defined(name: str) -> bool:
    return name in read_definitions().by_name
