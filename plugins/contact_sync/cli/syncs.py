"""The commands `syncs` and `forget`: what the state database knows, also without a definition."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from shlex import quote

from contact_sync.base.errors import ConfigError
from contact_sync.base.numbers import count
from contact_sync.cli.command import PROGRAM, as_json
from contact_sync.config.files import Definitions, read_definitions
from contact_sync.state.database import StateDatabase
from contact_sync.state.syncs import (
    Belongings,
    KnownSync,
    belongings,
    forget_sync,
    known_syncs,
)

LIST_EXAMPLES = {
    "syncs": "which syncs there are, and which have no definition",
    "syncs --json": "the same for machines",
}
FORGET_EXAMPLES = {
    "forget old": "says what it would do, and asks",
    "forget old --yes": "without asking",
}
FORGET_ABOUT = f"A sync that goes on under another name needs `{PROGRAM} rename OLD NEW` instead."


def add_connection(command: argparse.ArgumentParser) -> None:
    """Both commands' option: whose state database."""
    command.add_argument(
        "--connection",
        metavar="ID",
        default="contact_sync_state",
        help="Airflow connection of the state database (default: %(default)s)",
    )


def add_listing(command: argparse.ArgumentParser) -> None:
    """The options of `syncs`."""
    add_connection(command)


def add_forgetting(command: argparse.ArgumentParser) -> None:
    """The options of `forget`."""
    command.add_argument("name", metavar="NAME", help="the name that the sync has run under")
    command.add_argument("--yes", action="store_true", help="forget it without asking")
    add_connection(command)


def listing(options: argparse.Namespace) -> str:
    """What `syncs` prints: each sync of the state database and each definition, by name."""
    definitions = read_definitions()
    with _state(options).transaction() as cursor:
        known = known_syncs(cursor)
    if options.json:
        entries = [asdict(sync) | {"is_defined": _is_defined(sync.name, definitions)}
                   for sync in known]  # fmt: skip
        return as_json({"syncs": entries})
    lines = [_line(sync, _is_defined(sync.name, definitions)) for sync in known]
    ran = {sync.name for sync in known}
    lines += [f"{name}: has not run yet" for name in sorted(definitions.by_name.keys() - ran)]
    return "\n".join(lines) or "The state database knows no sync"


def _is_defined(name: str, definitions: Definitions) -> bool | None:
    """None = a file is broken, which may be its definition."""
    if name in definitions.by_name:
        return True
    return None if definitions.broken else False


def _line(sync: KnownSync, is_defined: bool | None) -> str:
    last = f"{sync.last_run_at:%Y-%m-%d %H:%M} UTC" if sync.last_run_at else "never"
    said = (
        f"{sync.name}: {count(sync.clients, 'client')}, {count(sync.contacts, 'contact')}, "
        f"{count(sync.runs, 'run')}, "
        f"the last one {last}"
    )
    if sync.holder:
        said += f"; {sync.holder} is at work"
    if is_defined is False:
        said += (
            f"\n  It has no definition. Contacts that it has aren't removed by other syncs: "
            f"`python -m contact_sync forget {quote(sync.name)}` retires it"
        )
    if is_defined is None:
        said += "\n  No definition can be read for it; a file is broken: see `validate`"
    return said


def forget(options: argparse.Namespace, agrees: Callable[[str], bool]) -> tuple[str, int]:
    """Forget a sync that no definition belongs to; returns what to say, and the exit code.

    `agrees` asks a person. Raises ConfigError while there is a definition of that name, or a broken
    one, which may be it; and as `forget_sync` does.
    """
    name = options.name
    _refuse_defined(name)
    state = _state(options)
    with state.transaction() as cursor:
        found = belongings(cursor, name)
    if not (options.yes or agrees(f"{_told(name, found)}\nForget {name!r}?")):
        return "Nothing was changed", 1
    with state.transaction() as cursor:
        reopened = forget_sync(cursor, name)
    again = (
        f" The next runs of other syncs remove {count(reopened, 'contact')} that stayed "
        f"because of it."
        if reopened
        else ""
    )
    return f"{_told(name, found) if options.yes else ''}\n{name} is forgotten.{again}".strip(), 0


def _refuse_defined(name: str) -> None:
    found = read_definitions()
    if name in found.by_name:
        raise ConfigError(
            f"The sync {name!r} has a definition in include/syncs/ and is not forgotten. Delete "
            f"that file first; `enabled: false` in it lets the sync pause"
        )
    if found.broken:
        files = ", ".join(sorted(found.broken))
        raise ConfigError(
            f"Whether {name!r} has a definition can't be told: {files} can't be read. Correct it "
            f"first: `python -m contact_sync validate` says what is wrong"
        )


def _told(name: str, found: Belongings) -> str:
    said = [
        f"The state database has of {name!r}: {count(found.clients, 'client')}, "
        f"{count(found.runs, 'run')}.",
        f"It would forget all of them, with the runs' reports. "
        f"{count(found.contacts, 'contact')} then "
        f"{'protects and hides' if found.contacts == 1 else 'protect and hide'} nothing from "
        f"other syncs any more.",
        f"{found.alone:,} of them no other sync has: what no other has stays at SendGrid, and "
        f"nobody "
        f"updates or removes it any more.",
    ]
    if found.removals:
        said.append(
            f"{count(found.removals, 'contact')} that it was about to remove: not removed, either."
        )
    if found.open:
        said.append(
            f"{count(found.open, 'batch is', 'batches are')} with SendGrid still, and may yet take "
            f"effect: better wait until that is over."
        )
    return "\n".join(said)


def _state(options: argparse.Namespace) -> StateDatabase:
    from contact_sync.airflow_edge.dsn import postgres_dsn

    state = StateDatabase(postgres_dsn(options.connection))
    state.check_schema()
    return state
