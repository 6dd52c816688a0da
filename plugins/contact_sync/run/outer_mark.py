"""Read and leave the mark that tells a state database that went back from one that is whole.

A mark that can't be read or written is none: it is told, and never stops a run.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from contact_sync.base.errors import SyncError
from contact_sync.base.marks import Mark, Phase
from contact_sync.state import erasures
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def read_mark(sync: Sync) -> Mark | None:
    """The mark of the run before; None = there is none that can be read."""
    if sync.marks is None:
        return None
    try:
        text = sync.marks.read()
        mark = None if text is None else Mark.from_text(text)
    except Exception as error:  # noqa: BLE001 whatever its place raises; the text isn't shown
        log.warning(
            "The mark of the run before (%s) can't be read and counts as none: %s",
            sync.marks.place, type(error).__name__,
        )  # fmt: skip
        return None
    if mark is None:
        log.info("No run has left a mark here (%s)", sync.marks.place)
    return mark


def leave_mark(sync: Sync, mark: Mark) -> None:
    """Write the mark of a run that has begun, before it changes anything at SendGrid."""
    if sync.marks is None:
        return
    try:
        sync.marks.write(mark.text())
    except Exception as error:  # noqa: BLE001 whatever its place raises
        log.warning(
            "The mark of run %d (%s) can't be written: %s. If the state database is restored from "
            "a backup, or its server is started anew, the next run may have to send everything",
            mark.run_id, sync.marks.place, type(error).__name__,
        )  # fmt: skip


def end_mark(sync: Sync, run: Run, phase: Phase) -> None:
    """Say in the run's mark how it has ended, unless a newer run has left its own."""
    if sync.marks is None or run.dry_run or run.token is None:
        return
    found = read_mark(sync)
    begun = Mark(run.life, run.run_id, run.token, Phase.BEGUN)
    if found is not None and replace(found, erasures=0) == begun:
        leave_mark(sync, replace(found, phase=phase, erasures=_erasures(sync, found)))


def count_erasures(sync: Sync) -> None:
    """Say in the mark of the run before how many erasures there are now."""
    if sync.marks is not None and (found := read_mark(sync)) is not None:
        leave_mark(sync, replace(found, erasures=_erasures(sync, found)))


def _erasures(sync: Sync, mark: Mark) -> int:
    """How many the state database knows; never fewer than the mark says, which only a person's
    word takes back."""
    try:
        with sync.state.transaction() as cursor:
            return max(erasures.count_known(cursor, sync.definition.name), mark.erasures)
    except SyncError as error:
        log.warning("Erasures can't be counted for the mark: %s", error)
        return mark.erasures
