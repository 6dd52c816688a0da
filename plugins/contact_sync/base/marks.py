"""The mark that each run leaves outside of the state database, where a restore of it doesn't reach.

A file's or an Airflow Variable's text; who keeps it is behind `Marks`. What it proves is told by
`run.outer_mark` and `state.identity`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Protocol, Self

MAX_MARK_CHARACTERS = 1_000
"""Nobody writes a longer one: what is longer isn't a mark."""
MAX_RUN_ID = 2**63 - 1
"""The state database counts runs by bigints."""


class Phase(StrEnum):
    """How far the run had come that left the mark."""

    BEGUN = "begun"  # before its first change at SendGrid
    FAILED = "failed"  # after that was stored; what it sent last may still take effect
    ENDED = "ended"  # after that was stored; nothing that it sent is open


@dataclass(frozen=True, slots=True)
class Mark:
    """The sync's newest run, as far as the place of the mark knows.

    `life`: of the sync's row in the state database, for as long as that isn't lost; `token`: chosen
    at random for this run, because a database that went back counts the same numbers again.
    `erasures`: how many the state database knew, of all syncs.
    """

    life: str
    run_id: int
    token: str
    phase: Phase
    erasures: int = 0

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The mark that `text` gave. Raises ValueError when it is none."""
        if len(text) > MAX_MARK_CHARACTERS:
            raise ValueError("it is too long")
        data = json.loads(text)
        if not isinstance(data, dict) or type(data.get("run_id")) is not int:
            raise ValueError("it names no run")
        if not 0 < data["run_id"] <= MAX_RUN_ID:
            raise ValueError("it names a run that can't be")
        if not all(isinstance(data.get(name), str) for name in ("life", "token")):
            raise ValueError("it lacks a part")
        erasures = data.get("erasures", 0)
        if type(erasures) is not int or not 0 <= erasures <= MAX_RUN_ID:
            raise ValueError("it counts erasures that can't be")
        phase = Phase(str(data.get("phase")))
        return cls(data["life"], data["run_id"], data["token"], phase, erasures)

    def text(self) -> str:
        """What is kept."""
        return json.dumps(asdict(self))


class Marks(Protocol):
    """A place that keeps the mark of one sync."""

    @property
    def place(self) -> str:
        """What kind of place it is: a word for the state database."""

    def read(self) -> str | None:
        """The text that was written last; None = there is none. Raises any error of the place."""

    def write(self, text: str) -> None:
        """Replace it. Raises any error of the place."""
