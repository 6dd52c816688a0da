"""Measure what a sync costs, side by side with the machine's limit and a script written by hand."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.agreement import check
from benchmarks.results import Figures, figures, growth_figures, table
from benchmarks.scenarios import Times, time_all, time_growth
from benchmarks.target import ROOT
from benchmarks.verification import verification_figures
from benchmarks.world import World, start_world

PARTS = ("scenarios", "baseline", "growth", "verify", "airflow", "freshness", "load")
PEERS = "peers"
CHANGES = 40
AGREE_ON = 10_000  # clients; every cell of them is compared
AIRFLOW_KEYS = (
    *("airflow_overhead_s", "airflow_no_change_s", "airflow_hundred_changed_s"),
    *("airflow_first_load_s", "airflow_first_load_over_cli", "airflow_first_load_above_share_s"),
    *("airflow_celery_first_load_s", "airflow_celery_first_load_over_cli"),
    *("airflow_celery_first_load_above_share_s",),
    *("freshness_p50_s", "freshness_p95_s", "freshness_event_p50_s"),
    *("freshness_event_p95_s", "freshness_load_p95_s"),
)


def main() -> None:
    """Measure the chosen parts and write the results, also those of a run that is stopped."""
    options = arguments()
    logging.basicConfig(level=logging.WARNING)
    results, picture = places(options.output)
    found = known_figures(results / "latest.json", options)
    for figures_so_far in measured(options):
        # What this benchmark didn't measure stays as an earlier one did.
        found |= {key: value for key, value in figures_so_far.items() if value is not None}
        found |= machine()
        write(found, results, picture)
    print(table(found))


def known_figures(path: Path, options: argparse.Namespace) -> Figures:
    """What an earlier benchmark of other parts has found; nothing if all parts are chosen."""
    empty = figures(options.rows, {}) | dict.fromkeys((*AIRFLOW_KEYS, PEERS))
    if not path.exists():
        return empty
    known: Figures = json.loads(path.read_text(encoding="utf-8"))
    if set(options.parts) == set(PARTS):
        return empty | {PEERS: known.get(PEERS)}  # which `make peers` measures
    sized = {"growth": ("growth_",), "airflow": ("airflow_first_load_", "airflow_celery_")}
    again = tuple(prefix for part in options.parts for prefix in sized.get(part, ()))
    return empty | {key: value for key, value in known.items() if not key.startswith(again)}


def write(found: Figures, results: Path, picture: Path) -> None:
    """Write the figures for machines, the table for people, and the chart."""
    from benchmarks.chart import draw

    results.mkdir(parents=True, exist_ok=True)
    (results / "latest.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (results / "latest.md").write_text(table(found), encoding="utf-8")
    draw(found, picture)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="A million clients, three times, take about half an hour on two cores and 5 GB of "
        "memory for the baseline; airflow ten minutes more, freshness twenty, load fifteen. Leave "
        "the machine alone meanwhile.",
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="clients (default %(default)s)")
    parser.add_argument("--repetitions", type=int, default=3, help="default %(default)s")
    parser.add_argument(
        "--growth", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], metavar="ROWS",
        help="numbers of clients to compare; 3000000 is worth its time (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS,
        help="default: all; the figures of the others stay as an earlier benchmark wrote them. "
        "baseline: with scenarios, and as slow as all of them",
    )  # fmt: skip
    parser.add_argument(
        "--changes", type=int, default=CHANGES,
        help="single changes of the part freshness, four a minute (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--load-rows", type=int, default=1_000_000, metavar="ROWS",
        help="clients of the part load (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--load-minutes", type=int, default=10, metavar="MINUTES",
        help="how long the part load writes (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER",
        help="where results and chart go (default: benchmarks/results/ and docs/)",
    )  # fmt: skip
    options = parser.parse_args()
    if "baseline" in options.parts and "scenarios" not in options.parts:
        parser.error("baseline is compared with the first load of the same repetition: "
                     "--parts scenarios baseline")  # fmt: skip
    return options


def places(output: Path | None) -> tuple[Path, Path]:
    """The folder of the results and the file of the chart."""
    if output is not None:
        return output, output / "performance.png"
    return ROOT / "benchmarks" / "results", ROOT / "docs" / "performance.png"


def measured(options: argparse.Namespace) -> Iterator[Figures]:
    """The figures of the chosen parts, each as soon as it is known."""
    times: Times = {}
    if {"scenarios", "growth", "verify"} & set(options.parts):
        with start_world() as world:
            agree(world, min(options.rows, AGREE_ON))
            if "scenarios" in options.parts:
                say(f"Making {options.rows:,} clients")
                world.populate(options.rows)
                baseline = "baseline" in options.parts
                for times in time_all(world, options.repetitions, say, baseline=baseline):
                    yield figures(options.rows, times)
            if "growth" in options.parts:
                others = [rows for rows in options.growth if not times or rows != options.rows]
                growth = time_growth(world, others, options.repetitions, say)
                yield growth_figures(growth | ({options.rows: times} if times else {}))
            if "verify" in options.parts:
                world.populate(options.rows)
                yield from verification_figures(world, options.repetitions, say)
    if "airflow" in options.parts:
        from benchmarks.airflow_overhead import airflow

        yield from airflow(options.rows, options.repetitions, say)
    if {"freshness", "load"} & set(options.parts):
        from benchmarks.freshness import airflow_figures

        load = (options.load_rows, options.load_minutes)
        yield from airflow_figures(options.parts, options.changes, load, say)


def machine() -> Figures:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "processor": processor(),
        "python": platform.python_version(),
    }


def agree(world: World, clients: int) -> None:
    """Prove on a smaller size that the programs do the same work. No agreement, no numbers."""
    world.populate(clients)
    say(check(world))


def processor() -> str:
    """The processor's name."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"model name\s*: (.+)", lines)
    return found[1].strip() if found else platform.machine()


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
