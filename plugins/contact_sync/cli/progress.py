"""Follow a run that is at work: a bar on a terminal, a plain line for each change elsewhere."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from contact_sync.base.command_line import own_holder
from contact_sync.base.errors import SyncError
from contact_sync.reporting.progress import Progress, progress
from contact_sync.state.for_people.jobs import slice_progress
from contact_sync.state.for_people.overview import overviews
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.runs import runs_of_holder
from contact_sync.sync import Sync

if TYPE_CHECKING:
    from rich.console import Console

EVERY_SECONDS = 1.0
Show = Callable[[Progress], None]


@contextmanager
def progress_of_run(sync: Sync, options: argparse.Namespace) -> Iterator[None]:
    """Show how far this process's run has got, while it is at work; only on a terminal: elsewhere
    the log says it."""
    if options.json or not sys.stderr.isatty():
        yield
        return
    over = Event()
    with bar() as show:
        thread = Thread(target=_follow_own, args=(sync, over, show), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def followed(sync: Sync) -> Iterator[Progress]:
    """What the run at work is at, again and again until none is."""
    pause = Event()
    while (found := _at_work(sync)) is not None:
        yield found
        pause.wait(EVERY_SECONDS)


@contextmanager
def bar(console: Console | None = None) -> Iterator[Show]:
    """A bar at the bottom of the terminal, below the log."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn  # only a terminal needs it
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[numbers]}"),
               TimeElapsedColumn())  # fmt: skip
    with Bar(*columns, console=console or _stderr(), transient=True) as shown, _logging_above():
        task = shown.add_task("begins", total=None, numbers="")

        def show(found: Progress) -> None:
            numbers = f"{found.done:,} of {found.total:,}" if found.total else ""
            shown.update(task, description=found.text, completed=found.done,
                         total=found.total or None, numbers=numbers)  # fmt: skip

        yield show


def _stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False)


@contextmanager
def _logging_above() -> Iterator[None]:
    """The log's lines go where the bar's own console prints, or they would tear it."""
    handlers = [h for h in logging.getLogger().handlers if isinstance(h, logging.StreamHandler)]
    streams = [handler.setStream(sys.stderr) for handler in handlers]
    try:
        yield
    finally:
        for handler, stream in zip(handlers, streams, strict=True):
            if stream is not None:
                handler.setStream(stream)


def _follow_own(sync: Sync, over: Event, show: Show) -> None:
    while not over.wait(EVERY_SECONDS):
        with suppress(SyncError), reading(sync.state) as cursor:  # the run itself tells of it
            for run in runs_of_holder(cursor, sync.definition.name, own_holder(), 1):
                show(progress(run, slice_progress(cursor, run.id)))


def _at_work(sync: Sync) -> Progress | None:
    name = sync.definition.name
    with reading(sync.state) as cursor:
        found = overviews(cursor, [name], 0).get(name)
        run = found.at_work if found else None
        return progress(run, slice_progress(cursor, run.id)) if run else None
