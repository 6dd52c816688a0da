"""The mark of runs on the command line: a file of the user who runs them.

It is below `$XDG_STATE_HOME`, by default `~/.local/state` (XDG Base Directory Specification: data
that should persist between restarts and isn't portable).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from contact_sync.base.marks import MAX_MARK_CHARACTERS


class MarkFile:
    """One sync's file; only its owner may read it."""

    place = "file"

    def __init__(self, sync_name: str) -> None:
        self._name = f"mark_{sync_name}.json"

    @property
    def path(self) -> Path:
        """Where it is. Raises RuntimeError for a user without a home."""
        home = os.environ.get("XDG_STATE_HOME", "")
        # "All paths must be absolute", else they are to be ignored (the same specification).
        folder = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state"
        return folder / "contact_sync" / self._name

    def read(self) -> str | None:
        """The file's text; None = there is no file. Raises OSError, ValueError, RuntimeError."""
        try:
            with self.path.open(encoding="utf-8") as file:
                return file.read(MAX_MARK_CHARACTERS + 1)
        except FileNotFoundError:
            return None

    def write(self, text: str) -> None:
        """Replace the file as a whole. Raises OSError, RuntimeError."""
        path = self.path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(prefix=f".{self._name}.", dir=path.parent)  # mode 600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(fresh).replace(path)
        except BaseException:
            Path(fresh).unlink(missing_ok=True)
            raise
