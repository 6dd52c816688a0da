"""Go on with erasures that aren't finished, before a run reads anybody."""

from __future__ import annotations

import logging

from contact_sync.base.errors import ConfigError
from contact_sync.base.marks import Mark
from contact_sync.base.numbers import count
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.erasing import continue_part
from contact_sync.state import erasures
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def continue_erasures(sync: Sync, run: Run) -> int:
    """Go on with what is left to do in this sync; returns how many erasures aren't finished.

    What can't be done now is told, kept for people, and left to the next run; the run goes on: the
    tombstones keep the person from being sent. Costs one statement where there is nothing to do.
    """
    if run.dry_run:
        return 0
    with sync.state.transaction(run.fence) as cursor:
        parts = erasures.open_parts(cursor, run.sync_id)
    return sum(continue_part(sync, part, run) is not None for part in parts)


def go_on(sync: Sync, erasure_id: str | None = None) -> str | None:
    """The same without a run, of one erasure or, None, of all; returns why the first one isn't
    finished, None = all are."""
    with sync.state.transaction() as cursor:
        known = {name: sync_id for sync_id, name in erasures.all_syncs(cursor).items()}
        if sync.definition.name not in known:
            return None
        parts = erasures.open_parts(cursor, known[sync.definition.name], erasure_id)
    whys = [continue_part(sync, part) for part in parts]
    return next((why for why in whys if why is not None), None)


def known_erasures(cursor: Cursor, name: str, mark: Mark | None) -> int:
    """How many erasures the state database knows, for the next mark. Raises ConfigError when the
    run before left more in its mark, and no person has said that they are lost."""
    known = erasures.count_known(cursor, name)
    if mark is None or (lost := mark.erasures - known) <= 0:
        return known
    raise ConfigError(
        f"The state database went back: it has lost {count(lost, 'erasure')}, so that erased "
        f"people would "
        f"come back. Put them back from the newest export: `python -m contact_sync erasures {name} "
        f"--import FILE`. Without one, erase these people again, and say so: `python -m "
        f"contact_sync erasures {name} --accept-loss {lost}`. Nothing was sent"
    )
