"""The files of named statements in include/sql/state/."""

from __future__ import annotations

from contact_sync.state.statements import FOLDER

NOT_NAMED = {"comments", "pending", "roles", "schema"}
"""Scripts and a listing: nothing is taken from them by name."""


def files() -> list[str]:
    """Their names below the folder, without ending."""
    paths = (path.relative_to(FOLDER) for path in FOLDER.rglob("*.sql"))
    named = {path.with_suffix("").as_posix() for path in paths if "migrations" not in path.parts}
    return sorted(named - NOT_NAMED)
