"""Faults of jobs on demand: what a job does wrong, and what it says wrong about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

JobKind = Literal["json", "csv", "delete", "list_removal", "identifier_removal", "export"]
JobFaultKind = Literal[
    "never_starts",
    "never_finishes",
    "fails_halfway",  # `failed` after `after_rows` rows
    "no_results",
    "slow",  # by `seconds`
    "drops_rows",  # leaves out the first `rows` and is `completed`: the counts do not add up
    "no_effect",  # a deletion or removal leaves all as it is, counts it and is `completed`
    "short_counts",  # does everything and counts `rows` fewer
    "forgotten",  # 404 from its effect on
    "forgotten_at_once",  # 404 from the start, though it takes effect
    "unknown_status",  # says `word` for `seconds` from its end on, or for ever if 0
]
COUNTED = ("created", "updated", "deleted")


@dataclass(slots=True)
class JobFault:
    """How a job goes wrong; each number belongs to the kinds that name it above."""

    kind: JobFaultKind
    job: JobKind | None = None  # None: any
    nth: int = 1
    after_rows: int = 1
    seconds: float = 0.0
    rows: int = 1
    word: str = "processing"

    def forgets(self, *, took_effect: bool) -> bool:
        """Return whether GET imports/{id} answers 404."""
        return self.kind == "forgotten_at_once" or (self.kind == "forgotten" and took_effect)

    def disguise(self, shown: dict[str, Any], since_end: float | None) -> None:
        """Falsify the answer about a job that ended so many seconds ago, None if it has not."""
        if self.kind == "no_results":
            del shown["results"]
        elif self.kind == "short_counts":
            take_away(shown["results"], self.rows)
        elif self.kind == "unknown_status" and since_end is not None and self.hides(since_end):
            shown["status"] = self.word
            del shown["finished_at"]

    def hides(self, since_end: float) -> bool:
        """Return whether the end is still hidden behind an unknown status."""
        return self.seconds == 0 or since_end < self.seconds


def take_away(results: dict[str, Any], rows: int) -> None:
    """Count so many rows fewer; counts of zero are absent."""
    for name in [f"{name}_count" for name in COUNTED]:
        taken = min(rows, results.get(name, 0))
        rows -= taken
        if name in results:
            results[name] -= taken
        if results.get(name) == 0:
            del results[name]
