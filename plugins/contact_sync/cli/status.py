"""The command `status`: the latest runs, and lists of clients by id. Prints no personal data."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from itertools import chain, islice
from typing import Any

from contact_sync.base import words
from contact_sync.base.client_names import called
from contact_sync.base.moments import moment
from contact_sync.cli.command import add_sync, as_json
from contact_sync.cli.progress import bar, followed
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.run_report import run_report, text_report
from contact_sync.reporting.watching import watch_in_words
from contact_sync.state.for_people import dropped, rejected
from contact_sync.state.for_people.certificates import newest_certificate
from contact_sync.state.for_people.client import StaleClient, stale_clients
from contact_sync.state.for_people.dropped import DroppedValue
from contact_sync.state.for_people.rejected import RejectedClient
from contact_sync.state.for_people.runs import latest_runs
from contact_sync.state.for_people.syncs import SyncRow, sync_row
from contact_sync.state.watches import watched
from contact_sync.sync import Sync

LISTED = 10_000
EXAMPLES = {
    "status NAME": "the latest five runs",
    "status NAME --watch": "follow the run that is at work until it ends",
    "status NAME --runs 1 --json": "the latest one for machines",
    "status NAME --rejected": "which clients can't be sent, and why",
    "status NAME --dropped --limit 100": "values that don't fit",
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_sync(command)
    command.add_argument(
        "--runs", metavar="N", type=int, default=5, help="how many runs (default: %(default)s)"
    )
    command.add_argument(
        "--watch",
        action="store_true",
        help="first follow the run that is at work: a bar on a terminal, else a line per change",
    )
    command.add_argument("--rejected", action="store_true", help="list rejected clients (ids only)")
    command.add_argument(
        "--dropped",
        action="store_true",
        help="list values that are left out, cut or rounded because they don't fit (ids only)",
    )
    command.add_argument(
        "--stale", action="store_true", help="list clients with values that SendGrid can't clear"
    )
    command.add_argument(
        "--limit",
        type=number,
        metavar="N",
        default=LISTED,
        help="list so many of each, the lowest ids first (default: %(default)s)",
    )


def number(text: str) -> int:
    """How many, from 0; argparse tells of a ValueError."""
    if (found := int(text)) < 0:
        raise ValueError
    return found


def lines(sync: Sync, options: argparse.Namespace) -> Iterator[str]:
    """What to print, piece by piece; the dropped values come one by one as they are read."""
    sync.state.check_schema()
    for line in _watch(sync) if options.watch else ():
        if not options.json:
            yield line
    yield from _report(sync, options)


def _report(sync: Sync, options: argparse.Namespace) -> Iterator[str]:
    name = options.sync
    with sync.state.transaction() as cursor:
        reports = [run_report(row) for row in latest_runs(cursor, [name], options.runs)]
        row = sync_row(cursor, name)
        clients = _rejected(cursor, row, options.limit) if options.rejected else None
        stale = _stale(cursor, row, options.limit) if options.stale else None
        verified = newest_certificate(cursor, row.sync_id) if row else None
        watch = watched(cursor, [name]).get(name) if sync.definition.is_watched else None
    values = _dropped(sync, row) if options.dropped else None
    if options.json:
        lists: dict[str, Iterable[RejectedClient | DroppedValue | StaleClient] | None]
        lists = {"rejected": clients, "dropped": values, "stale": stale}
        found = {
            key: [_entry(each) for each in islice(listed, options.limit)]
            for key, listed in lists.items()
            if listed is not None
        }
        body = {"sync": name, "runs": [report.to_json() for report in reports], **found,
                "verification": verified and verified.to_json(),
                "watch": watch and asdict(watch)}  # fmt: skip
        yield as_json(body)
        return
    yield "\n\n".join(map(text_report, reports)) or f"{name}: no run yet"
    if verified is not None:
        yield f"{name}: {verified.headline()}"
    if row is not None and sync.definition.is_watched:
        yield f"{name}: changes are noticed {watch_in_words(watch, row.now)}"
    for client in clients or []:
        why = words.reason(client.reason, client.detail)
        who = called(client.client_id, client.client_key)
        yield f"client {who}: {client.field}: {why} since {moment(client.first_seen)}"
    for holder in stale or []:
        who = called(holder.client_id, holder.client_key)
        yield f"client {who}: stale value in {', '.join(holder.fields)}"
    for listed, value in enumerate(values or []):
        if listed == options.limit:
            yield f"and more: only {options.limit} are listed, see --limit"
            return
        why = words.reason(value.reason)
        who = called(value.client_id, value.client_key)
        yield f"client {who}: {value.field}: {why} since {moment(value.since)}"


def _watch(sync: Sync) -> Iterator[str]:
    """Follow the run that is at work. What to print: on a terminal nothing, which has a bar."""
    if sys.stderr.isatty():
        with bar() as show:
            for found in followed(sync):
                show(found)
        return
    said = ""
    for found in followed(sync):
        if found.line != said:
            yield (said := found.line)


def _rejected(cursor: Cursor, row: SyncRow | None, limit: int) -> list[RejectedClient]:
    return rejected.page_of_clients(cursor, rejected.Filter(row.sync_id), limit) if row else []


def _stale(cursor: Cursor, row: SyncRow | None, limit: int) -> list[StaleClient]:
    return stale_clients(cursor, row.sync_id, limit) if row else []


def _dropped(sync: Sync, row: SyncRow | None) -> Iterator[DroppedValue]:
    if row is None:
        return
    with closing(dropped.all_values(sync.state, dropped.Filter(row.sync_id))) as chunks:
        yield from chain.from_iterable(chunks)


def _entry(of: RejectedClient | DroppedValue | StaleClient) -> dict[str, Any]:
    """For `status --json`; no address."""
    if isinstance(of, RejectedClient):
        return {"client_id": of.client_id, "client_key": of.client_key, "field": of.field,
                "reason": of.reason, "detail": of.detail, "tries": of.tries,
                "since": of.first_seen}  # fmt: skip
    return asdict(of)
