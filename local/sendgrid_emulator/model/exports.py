"""Exports as an account keeps them: ordered, written, and fetched for some hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from local.sendgrid_emulator.model.jobs import Job
from local.sendgrid_emulator.model.spool import Spool

FileType = Literal["csv", "json"]


@dataclass(slots=True, eq=False)
class Export:
    """An export from its order on; `file` is None until it is ready, and after a failure."""

    job: Job
    file_type: FileType
    list_ids: tuple[str, ...]
    file: Spool | None = None
    contact_count: int = 0

    @property
    def name(self) -> str:
        """Return the last part of the file's address: not .gz [K StrongGrid]."""
        return f"contacts.{self.file_type}.gzip"
