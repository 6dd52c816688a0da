"""The files of named statements in include/sql/state/."""

from __future__ import annotations

from contact_sync.state.statements import FOLDER

NOT_NAMED = {"comments", "roles", "schema"}
"""Scripts and a listing: nothing is taken from them by name."""


def files() -> list[str]:
    """Their names, without ending."""
    named = (path.stem for path in FOLDER.glob("*.sql") if " --\n" in path.read_text("utf-8"))
    return sorted(set(named) - NOT_NAMED)
