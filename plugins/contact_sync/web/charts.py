"""The trend of the last runs as bars of an inline SVG, which the template draws. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 150, 56, 24, 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One run's bar, in the SVG's units."""

    run: Any
    x: float
    width: float
    sent_y: float
    sent_height: float
    rejected_y: float
    rejected_height: float
    failed: bool


@dataclass(frozen=True, slots=True)
class Trend:
    """Contacts sent and clients rejected per run, oldest on the left."""

    bars: list[Bar]
    ticks: list[tuple[float, int]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def trend(runs: Sequence[dict[str, Any]]) -> Trend:
    """The bars of reports (report.run_report), newest first."""
    ordered = list(reversed(runs))
    values = [(_count(run, "sent"), _count(run, "rejected")) for run in ordered]
    top = _round_up(max((a + b for a, b in values), default=0))
    room = HEIGHT - BOTTOM - TOP
    step = (WIDTH - LEFT) / max(len(ordered), 8)
    bars = []
    for n, (run, (done, rejected)) in enumerate(zip(ordered, values, strict=True)):
        sent_height, rejected_height = room * done / top, room * rejected / top
        sent_y = HEIGHT - BOTTOM - sent_height
        failed = run["state"] in ("failed", "superseded")
        bars.append(
            Bar(run, round(LEFT + n * step + step * 0.15, 1), round(step * 0.7, 1),
                round(sent_y, 1), round(sent_height, 1),
                round(sent_y - rejected_height, 1), round(rejected_height, 1), failed)
        )  # fmt: skip
    ticks = [(round(HEIGHT - BOTTOM - room * part, 1), int(top * part)) for part in (0, 0.5, 1)]
    return Trend(bars, ticks)


def _count(run: dict[str, Any], name: str) -> int:
    return int(run["counts"].get(name, 0))


def _round_up(value: int) -> int:
    """The next of 10, 20, 50, 100, 200 …"""
    size = 10
    while True:
        for factor in (1, 2, 5):
            if value <= factor * size:
                return factor * size
        size *= 10
