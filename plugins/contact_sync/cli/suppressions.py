"""The command `suppressions`: who gets no mail from SendGrid, and why. Prints addresses."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from itertools import chain
from typing import Any

from contact_sync.base.errors import ConfigError
from contact_sync.base.moments import moment
from contact_sync.base.suppressed import KINDS
from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.cli.command import add_sync, as_json
from contact_sync.reporting.csv_export import csv_lines
from contact_sync.state.for_people import suppressed
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.suppressed import Filter, SuppressedAddress
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.sync import Sync

EXAMPLES = {
    "suppressions NAME": "who gets no mail, and why",
    "suppressions NAME --kind bounce": "only addresses that bounced",
    "suppressions NAME --csv --with-lifted > suppressions.csv": "a file, also of what was lifted",
    "suppressions NAME --json": "the same for machines",
}
ABOUT = """\
Lists what the runs of a sync have read of SendGrid's suppressions, which they do if its definition
has the block `suppressions`. Asks the state database only."""
COLUMNS = ("email", "kind", "group_id", "since", "first_seen", "gone_at")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_sync(command)
    command.add_argument(
        "--kind", choices=[str(kind) for kind in SuppressionKind], help="only of this kind"
    )
    command.add_argument(
        "--with-lifted", action="store_true", help="also those that were lifted at SendGrid"
    )
    command.add_argument("--csv", action="store_true", help="print CSV and nothing else")


def lines(sync: Sync, options: argparse.Namespace) -> Iterator[str]:
    """What to print, piece by piece. Raises ConfigError if none were ever read."""
    if options.csv and options.json:
        raise ConfigError("--csv and --json exclude each other: say one of them")
    name = options.sync
    sync.state.check_schema()
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
        read_to = suppressed.last_read(cursor, row.sync_id) if row else None
    if row is None or read_to is None:
        raise ConfigError(
            f"No run of {name!r} has read SendGrid's suppressions yet: give its definition a block "
            f"`suppressions: {{}}`, and run it"
        )
    which = Filter(row.sync_id, options.kind, options.with_lifted)
    with closing(suppressed.all_addresses(sync.state, which)) as chunks:
        if options.json:
            found = [asdict(each) for each in chain.from_iterable(chunks)]
            yield as_json({"sync": name, "read_to": read_to, "suppressions": found})
        elif options.csv:
            yield _csv([COLUMNS])
            for chunk in chunks:
                yield _csv([suppressed.cells(each) for each in chunk])
        else:
            yield from map(_line, chain.from_iterable(chunks))
            yield f"{name}: as SendGrid said at {moment(read_to)}"


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    return csv_lines(rows).decode().rstrip("\r\n")


def _line(of: SuppressedAddress) -> str:
    group = f" {of.group_id}" if of.group_id else ""
    since = f" since {moment(of.since)}" if of.since else ""
    lifted = f", lifted by {moment(of.gone_at)}" if of.gone_at else ""
    return f"{of.email}: {KINDS[of.kind]}{group}{since}{lifted}"
