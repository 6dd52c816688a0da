"""One sync as the page of all syncs shows it, and its place among them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from contact_sync.airflow_edge.access import Powers
from contact_sync.base.standing import Standing
from contact_sync.config.definition import SyncDefinition
from contact_sync.reporting.freshness import Freshness
from contact_sync.reporting.run_story import dag_run_of
from contact_sync.reporting.standing import Overview, PastRun, Stand
from contact_sync.web.formats import count, number
from contact_sync.web.run_line import Tag

TONES = {
    Standing.UNREADABLE: "bad", Standing.FAILED: "bad", Standing.WAITING: "warn",
    Standing.LATE: "bad", Standing.DEGRADED: "warn", Standing.PAUSED: "busy",
    Standing.DISABLED: "busy", Standing.NEVER_RUN: "busy", Standing.HEALTHY: "good",
}  # fmt: skip
WIDTH, HEIGHT, MOST_WIDE = 168, 40, 8


class Bar(NamedTuple):
    """One run's bar, in the SVG's units: what it sent, and on top whom it rejected."""

    x: float
    width: float
    sent_y: float
    sent_height: float
    rejected_y: float
    rejected_height: float


@dataclass(frozen=True, slots=True)
class Spark:
    """The newest ended runs as small bars, oldest on the left; `text` says the same numbers."""

    bars: list[Bar]
    text: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class SyncLine:
    """A sync of the page. `read_at` None = its state database can't be asked, or it never ran.

    `next_run`: when Airflow starts the next one. `cancels`: the DAG run that can be cancelled.
    """

    definition: SyncDefinition
    stand: Stand
    powers: Powers
    overview: Overview
    freshness: Freshness | None = None
    age: float | None = None
    next_run: datetime | None = None
    is_paused: bool = False
    cancels: str | None = None

    @property
    def tag(self) -> Tag:
        """The standing."""
        return Tag(self.stand.standing, TONES[self.stand.standing])

    @property
    def last_success(self) -> datetime | None:
        """When a run succeeded last."""
        run = self.overview.succeeded
        return run.finished_at if run else None

    @property
    def success_id(self) -> int | None:
        """The id of that run."""
        return self.overview.succeeded.id if self.overview.succeeded else None

    @property
    def confirmed(self) -> str:
        """How many clients' contacts SendGrid has confirmed, of how many clients."""
        run = self.overview.succeeded
        books = run.result.books if run and run.result else {}
        if not books:
            return "not known: no run has succeeded yet"
        known = sum(books[fate] for fate in ("confirmed", "pending", "rejected", "excluded"))
        absent = known - books["selected"]
        said = f"{number(books['confirmed'])} of {count(known, 'client')}"
        return f"{said}, {number(absent)} of them absent from B2CORE" if absent > 0 else said

    @property
    def at_work(self) -> int | None:
        """The run that is at work."""
        return self.overview.at_work.id if self.overview.at_work else None

    @property
    def awaits(self) -> tuple[str, str] | None:
        """The DAG run in which a person is asked; None = nobody is, or on a command line."""
        run = self.overview.at_work
        is_asked = self.stand.standing is Standing.WAITING and run is not None
        return dag_run_of(run.holder) if is_asked and run else None

    @property
    def next_words(self) -> str:
        """Why there is no time of a next run."""
        if not self.definition.sends:
            return "none"
        if self.is_paused:
            return "none: its DAG is paused"
        if self.definition.is_watched:
            return "with the next change in B2CORE"
        return "not known yet" if self.definition.schedule else "none: runs are triggered"

    @property
    def spark(self) -> Spark | None:
        """Its newest runs as bars; None = no run has ended."""
        return spark(self.overview.past) if self.overview.past else None


def ordered(lines: Sequence[SyncLine]) -> list[SyncLine]:
    """What needs a person first; otherwise as the definitions are."""
    return sorted(lines, key=lambda line: line.stand.standing.urgency)


def spark(past: Sequence[PastRun]) -> Spark:
    """The bars of runs, newest first."""
    runs = list(reversed(past))
    top = max([run.sent + run.rejected for run in runs] + [1])
    step = WIDTH / max(len(runs), MOST_WIDE)
    bars = []
    for n, run in enumerate(runs):
        sent, rejected = _height(run.sent, top), _height(run.rejected, top)
        y = HEIGHT - sent
        numbers = (n * step, step * 0.75, y, sent, max(y - rejected, 0.0), rejected)
        bars.append(Bar(*(round(number, 1) for number in numbers)))
    sent_by, rejected_by = [run.sent for run in runs], [run.rejected for run in runs]
    sums = f"Sent: {_listed(sent_by)}. Rejected: {_listed(rejected_by)}."
    return Spark(bars, f"The last {count(len(runs), 'run')}, newest last. {sums}")


def _listed(values: Sequence[int]) -> str:
    return ", ".join(map(number, values))


def _height(value: int, top: int) -> float:
    """What isn't 0 can be seen."""
    return max(HEIGHT * value / top, 1.0) if value else 0.0
