"""The command `prune`: delete what is older than the definition's `retention`."""

from __future__ import annotations

import argparse
from typing import Any

from contact_sync.base.errors import ConfigError
from contact_sync.base.numbers import count_of
from contact_sync.cli.command import Say, add_sync, as_json
from contact_sync.config.files import read_definition, read_definitions
from contact_sync.verify.prune import prune

EXAMPLES = {
    "prune NAME --dry-run": "how much of a sync is older than its definition keeps it",
    "prune NAME": "delete that",
    "prune --json": "of every sync, for machines",
}
ABOUT = """\
Deletes old reports, batches, runs, findings, certificates and hashes of addresses from the state
database, as `retention` in the definition says. What a later run, repair or alert builds on stays,
however old it is. Runs may be at work meanwhile. The DAG of the verification does the same."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_sync(command, nargs="?", help="one sync; default: all")
    command.add_argument("--dry-run", action="store_true", help="only count; delete nothing")


def answer(options: argparse.Namespace, say: Say) -> int:
    """Prune, and say how much; returns the exit code. Raises ConfigError for a broken definition
    when all syncs are asked for."""
    from contact_sync.airflow_edge.handles import open_state

    found: dict[str, Any] = {}
    for name in _names(options):
        definition = read_definition(name)
        found[name] = prune(definition, open_state(definition), dry_run=options.dry_run)
    if options.json:
        say(as_json({"dry_run": options.dry_run, "syncs": found}))
    else:
        for name, done in found.items():
            say(_line(name, done, dry_run=options.dry_run))
    return 0


def _names(options: argparse.Namespace) -> list[str]:
    if options.sync:
        return [options.sync]
    definitions = read_definitions()
    for message in definitions.broken.values():
        raise ConfigError(message)
    return sorted(definitions.by_name)


def _line(name: str, done: dict[str, int], *, dry_run: bool) -> str:
    said = ", ".join(count_of(n, what) for what, n in done.items() if n)
    return f"{name}: {said or 'nothing'} {'to be deleted' if dry_run else 'deleted'}"
