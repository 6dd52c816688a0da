"""What the watch of a sync compares with, and what it has seen last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.source_look import SourceCounts
from contact_sync.base.watching import Watched, WatchState
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements

SQL = statements.load("watches")


@dataclass(frozen=True, slots=True)
class Standing:
    """How the sync stands. `counts`: those that its last finished run read with, None = it kept
    none. `is_held`: a run is at work. `newest_run`: the id of the newest one, 0 = there is none."""

    counts: SourceCounts | None
    is_held: bool
    newest_run: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What a watch says of itself, as `base.watching.Watched`; `tables`: of a change that begins a
    run, None = there was none."""

    state: WatchState
    why: str | None = None
    detail: str | None = None
    tables: Sequence[str] | None = None


def standing(cursor: Cursor, name: str) -> Standing:
    """How the sync called `name` stands now."""
    rows = many(cursor, SQL["standing"], {"name": name})
    if not rows:
        return Standing(None, is_held=False, newest_run=0)
    watermark: dict[str, Any] | None = rows[0].pop("watermark")
    counts = SourceSnapshot.from_json(watermark).counts if watermark else None
    return Standing(counts, **rows[0])


def note(cursor: Cursor, name: str, sight: Sight) -> None:
    """Write down what the watch of a sync sees; nothing before the sync's first run."""
    parameters = {
        "name": name, "state": sight.state, "why": sight.why, "detail": sight.detail,
        "has_moved": sight.tables is not None, "tables": list(sight.tables or ()),
    }  # fmt: skip
    cursor.execute(SQL["note"], parameters)


def watched(cursor: Cursor, names: Collection[str]) -> dict[str, Watched]:
    """What the watches of these syncs have written down, by name."""
    rows = many(cursor, SQL["watched"], {"names": list(names)})
    return {row.pop("name"): _watched(row) for row in rows}


def _watched(row: dict[str, Any]) -> Watched:
    return Watched(**{**row, "state": WatchState(row["state"])})
