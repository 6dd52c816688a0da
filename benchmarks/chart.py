"""The benchmark's figures as one picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.results import PRODUCT, Figures

NAMES = {
    "limit": "limit",
    "first_load": "first load",
    "no_change": "no change",
    "one_percent": "1 % changed",
    "hundred_changed": "100 changed",
    "backfill": "backfill",
    "forced": "forced",
    "baseline": "baseline",
}
LIMIT, OURS, BASELINE = "#8a8f98", "#1f6feb", "#d9822b"


def draw(found: Figures, path: Path) -> None:
    """Write the chart: what each program takes, and what a client costs at each size."""
    figure, (programs, growth) = plt.subplots(
        1, 2, figsize=(11, 4), width_ratios=(3, 2), layout="constrained"
    )
    draw_programs(programs, found)
    draw_growth(growth, found)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def draw_programs(axes: Axes, found: Figures) -> None:
    """One bar a program, with its spread."""
    measured = [name for name in NAMES if found[f"{name}_s"] is not None]
    walls = [found[f"{name}_s"] for name in measured]
    spread = [
        [found[f"{name}_s"] - found[f"{name}_min_s"] for name in measured],
        [found[f"{name}_max_s"] - found[f"{name}_s"] for name in measured],
    ]
    colours = [OURS if name in PRODUCT else LIMIT if name == "limit" else BASELINE
               for name in measured]  # fmt: skip
    bars = axes.barh([NAMES[name] for name in measured], walls, xerr=spread, color=colours)
    axes.bar_label(bars, [f"{wall:.1f} s" for wall in walls], padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_title(f"{found['rows']:,} clients, seconds (median, spread)")
    axes.spines[["top", "right"]].set_visible(False)


def draw_growth(axes: Axes, found: Figures) -> None:
    """Microseconds of a first load for one client, against the number of clients."""
    keys = [key for key in found if key.startswith("growth_") and key.endswith("_first_load_s")]
    sizes = sorted(int(key.split("_")[1]) for key in keys)
    if not sizes:
        axes.set_axis_off()
        return
    for name, colour in (("first_load", OURS), ("limit", LIMIT)):
        cost = [found[f"growth_{rows}_{name}_s"] / rows * 1e6 for rows in sizes]
        axes.plot([f"{rows:,}" for rows in sizes], cost, "o-", color=colour,
                  label=NAMES[name])  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.set_title("µs a client, by number of clients")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
