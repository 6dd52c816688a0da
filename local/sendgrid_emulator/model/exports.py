"""Exports as an account keeps them: ordered, written file by file, and fetched for some hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from local.sendgrid_emulator.model.jobs import Job
from local.sendgrid_emulator.model.spool import Spool

FileType = Literal["csv", "json"]


@dataclass(slots=True, eq=False)
class Export:
    """An export from its order on; `files` are complete once the job has an end.

    `max_megabytes`: of one file, before it is compressed [I].
    """

    job: Job
    file_type: FileType
    list_ids: tuple[str, ...]
    max_megabytes: int
    updated_at: float
    files: list[Spool] = field(default_factory=list)
    contact_count: int = 0

    def name_of(self, number: int) -> str:
        """Return the last part of a file's address: not .gz [K StrongGrid]."""
        return f"contacts_{number}.{self.file_type}.gzip"

    def file_called(self, name: str) -> Spool | None:
        """Return the file of that name."""
        names = {self.name_of(number): file for number, file in enumerate(self.files)}
        return names.get(name)
