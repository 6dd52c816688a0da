"""The files of named statements in include/sql/state/."""

from __future__ import annotations

from contact_sync.state.statements import FOLDER

NOT_NAMED = {"comments", "roles", "schema"}
"""Scripts and a listing: nothing is taken from them by name."""


def files() -> list[str]:
    """Their names, without ending."""
    return sorted({path.stem for path in FOLDER.glob("*.sql")} - NOT_NAMED)
