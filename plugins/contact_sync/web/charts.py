"""The trend of the last runs as bars of an inline SVG, which the template draws. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contact_sync.web.formats import count
from contact_sync.web.run_line import RunLine

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 150, 56, 24, 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One run's bar, in the SVG's units."""

    run: RunLine
    x: float
    width: float
    sent_y: float
    sent_height: float
    rejected_y: float
    rejected_height: float

    @property
    def failed(self) -> bool:
        """Whether the bar is marked as that of a failed run."""
        return self.run.has_failed

    @property
    def title(self) -> str:
        """What it says when the mouse rests on it."""
        sent, rejected = count(self.run.confirmed, "contact"), count(self.run.rejected, "client")
        return f"Run {self.run.id:,}, {self.run.state}: {sent} confirmed, {rejected} rejected"


@dataclass(frozen=True, slots=True)
class Label:
    """A run's number below the axis; the text begins at `x`, or ends there."""

    run_id: int
    x: float
    ends_there: bool


@dataclass(frozen=True, slots=True)
class Trend:
    """Contacts confirmed and clients rejected per run, oldest on the left."""

    bars: list[Bar]
    ticks: list[tuple[float, int]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM

    @property
    def labels(self) -> list[Label]:
        """Of the first bar, and of the last one where both have room."""
        bars = self.bars
        first = [Label(bar.run.id, bar.x, ends_there=False) for bar in bars[:1]]
        last = [Label(bar.run.id, bar.x + bar.width, ends_there=True) for bar in bars[-1:]]
        return first + (last if len(bars) > 3 else [])


def trend(runs: Sequence[RunLine]) -> Trend:
    """The bars of runs, newest first."""
    ordered = list(reversed(runs))
    top = _round_up(max((run.confirmed + run.rejected for run in ordered), default=0))
    room = HEIGHT - BOTTOM - TOP
    step = (WIDTH - LEFT) / max(len(ordered), 8)
    bars = []
    for n, run in enumerate(ordered):
        sent_height, rejected_height = room * run.confirmed / top, room * run.rejected / top
        sent_y = HEIGHT - BOTTOM - sent_height
        bars.append(
            Bar(run, round(LEFT + n * step + step * 0.15, 1), round(step * 0.7, 1),
                round(sent_y, 1), round(sent_height, 1),
                round(sent_y - rejected_height, 1), round(rejected_height, 1))
        )  # fmt: skip
    ticks = [(round(HEIGHT - BOTTOM - room * part, 1), int(top * part)) for part in (0, 0.5, 1)]
    return Trend(bars, ticks)


def _round_up(value: int) -> int:
    """The next of 10, 20, 50, 100, 200 …"""
    size = 10
    while True:
        for factor in (1, 2, 5):
            if value <= factor * size:
                return factor * size
        size *= 10
