"""The figures of a benchmark: one flat object for machines, one table for people. Pure."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.measure import Measured, start_of_python
from benchmarks.scenarios import SCENARIOS, Times

Figures = dict[str, Any]
TITLES = {
    "limit": "*limit*: `COPY (query) TO STDOUT`, igzip, HTTP PUT",
    "first_load": "first load, extract to settled ledger",
    "scan": "the scan alone: all ids and addresses, who changed",
    "no_change": "run, no client changed",
    "one_percent": "run, 1 % changed",
    "hundred_changed": "run, 100 changed",
    "backfill": "backfill: full run, nothing differs",
    "forced": "forced: everything sent again",
    "cleared": "a field emptied in every contact (JSON lane)",
    "refilled": "the field filled again in every contact (CSV lane)",
    "baseline": "*baseline*: `read_sql`, apply, JSON, no state",
}
EXECUTORS = {
    "airflow_first_load": "a LocalExecutor",
    "airflow_celery_first_load": "two Celery workers",
}
PRODUCT = ("first_load", "no_change", "one_percent", "hundred_changed", "backfill", "forced",
           "cleared", "refilled")  # fmt: skip
LONG = 0.5
"""Seconds of a step that is worth a comparison."""


def figures(clients: int, times: Times) -> Figures:
    """Medians in seconds and MB, with the smallest and largest wall time; None = not measured."""
    found: Figures = {"rows": clients, "repetitions": len(times.get("limit", []))}
    for name in SCENARIOS:
        found |= of_program(name, times.get(name, []))
    found["first_load_over_limit"] = ratio(times, "first_load", "limit")
    found["first_load_cpu_over_limit"] = over(total_cpu(found, "first_load"),
                                              total_cpu(found, "limit"))  # fmt: skip
    found["baseline_over_first_load"] = ratio(times, "baseline", "first_load")
    found |= of_no_change(times.get("no_change", []))
    peaks = [found[f"{name}_rss_mb"] for name in PRODUCT if found[f"{name}_rss_mb"]]
    found["peak_rss_mb"] = max(peaks, default=None)
    for name in ("first_load", "forced", "cleared", "refilled"):
        for step, seconds in step_seconds(times.get(name, [])).items():
            found[f"{name}_{step}_s"] = seconds
    csv = step_seconds(times.get("refilled", []))
    found["cleared_step_over_csv"] = max(
        (round(found[f"cleared_{step}_s"] / s, 2) for step, s in csv.items() if s >= LONG),
        default=None,
    )
    return found


def growth_figures(growth: dict[int, Times]) -> Figures:
    """The same for the limit and the first load of each number of clients."""
    found: Figures = {}
    for rows, measured in growth.items():
        for name in ("limit", "first_load", "no_change"):
            part = of_program(name, measured[name])
            found |= {f"growth_{rows}_{key}": value for key, value in part.items()}
    one, three = (growth.get(rows, {}).get("no_change", []) for rows in (1_000_000, 3_000_000))
    if one and three:
        found["no_change_3m_over_1m"] = round(_middle_wall(three) / _middle_wall(one), 2)
    return found


def of_no_change(runs: list[Measured]) -> Figures:
    """What a run without changes takes beyond the start of Python, and `no_change_b2core_ms`: how
    long B2CORE's sessions execute statements for it, those of its driver that read the catalogue
    included; neither connecting nor what passes between two statements."""
    names = ("python_start_s", "no_change_over_start_s", "no_change_b2core_ms")
    if not runs:
        return dict.fromkeys((*names, "no_change_3m_over_1m"))
    start = start_of_python()
    over_start = round(_middle_wall(runs) - start, 3)
    busy = median(run.answer["b2core_busy_ms"] for run in runs)
    return {**dict(zip(names, (start, over_start, round(busy, 1)), strict=True)),
            "no_change_3m_over_1m": None}  # fmt: skip


def _middle_wall(runs: list[Measured]) -> float:
    return median(run.wall for run in runs)


def of_program(name: str, runs: list[Measured]) -> Figures:
    """One program's figures."""

    def middle(value: Callable[[Measured], float]) -> float | None:
        return round(median(value(run) for run in runs), 3) if runs else None

    walls = [round(run.wall, 3) for run in runs]
    return {
        f"{name}_s": middle(lambda run: run.wall),
        f"{name}_min_s": min(walls, default=None),
        f"{name}_max_s": max(walls, default=None),
        f"{name}_cpu_s": middle(lambda run: run.cpu),
        f"{name}_postgres_cpu_s": middle(lambda run: run.postgres_cpu),
        f"{name}_sendgrid_cpu_s": middle(lambda run: run.sendgrid_cpu),
        f"{name}_other_cores": middle(lambda run: run.other_cores),
        f"{name}_rss_mb": middle(lambda run: run.rss_mb),
    }


def ratio(times: Times, above: str, below: str) -> float | None:
    """The median of one program's wall time over another's in the same repetition: what else the
    machine does changes from one to the next."""
    pairs = zip(times.get(above, []), times.get(below, []), strict=False)
    ratios = [one.wall / other.wall for one, other in pairs]
    return round(median(ratios), 2) if ratios else None


def over(above: float | None, below: float | None) -> float | None:
    """The ratio, None if one of them wasn't measured."""
    return round(above / below, 2) if above and below else None


def total_cpu(found: Figures, name: str) -> float | None:
    """CPU seconds of a program and of the PostgreSQL that works for it."""
    own, server = found[f"{name}_cpu_s"], found[f"{name}_postgres_cpu_s"]
    return None if own is None else own + server


def step_seconds(runs: list[Measured]) -> dict[str, float]:
    """The median wall seconds of each step of the product's runs."""
    steps = runs[0].answer["seconds"] if runs else {}
    return {step: round(median(run.answer["seconds"][step] for run in runs), 3) for step in steps}


def table(found: Figures) -> str:
    """The figures in Markdown."""
    lines = [
        f"{found['rows']:,} clients, {found['repetitions']} repetitions, "
        f"{found['cores']} cores ({found['processor']}). Medians; CPU seconds in all, of which the "
        f"part after the slash is PostgreSQL's. Others kept "
        f"{found['first_load_other_cores'] or 0:.1f} cores busy during the first load.",
        "",
        "| | wall s | from, to | CPU s | / limit | CPU / limit | peak MB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [row(found, name) for name in SCENARIOS if found[f"{name}_s"] is not None]
    if found["first_load_over_limit"] is not None:
        lines += [
            "",
            "In the same repetition (median): first load / limit "
            f"{found['first_load_over_limit']}, baseline / first load "
            f"{found['baseline_over_first_load']}.",
        ]
    sizes = sorted(int(key.split("_")[1]) for key in found if key.endswith("_first_load_rss_mb")
                   and key.startswith("growth_"))  # fmt: skip
    if sizes:
        lines += [
            "",
            "| clients | limit s | first load s | / limit | µs each | CPU µs each | peak MB |",
            "|--:|--:|--:|--:|--:|--:|--:|",
        ]
        lines += [growth_row(found, rows) for rows in sizes]
    lines += verification_lines(found)
    lines += airflow_lines(found)
    return "\n".join(lines) + "\n"


def row(found: Figures, name: str) -> str:
    """A program's row."""
    cpu = (total_cpu(found, name), found[f"{name}_postgres_cpu_s"])
    times = over(found[f"{name}_s"], found["limit_s"])
    work = over(cpu[0], total_cpu(found, "limit"))
    return (
        f"| {TITLES[name]} | {found[f'{name}_s']:.2f} | {found[f'{name}_min_s']:.2f}, "
        f"{found[f'{name}_max_s']:.2f} | {cpu[0]:.2f} / {cpu[1]:.2f} | {times} | {work} | "
        f"{found[f'{name}_rss_mb']:.0f} |"
    )


def growth_row(found: Figures, rows: int) -> str:
    """The row of one number of clients."""
    limit, load = found[f"growth_{rows}_limit_s"], found[f"growth_{rows}_first_load_s"]
    cpu = (
        found[f"growth_{rows}_first_load_cpu_s"] + found[f"growth_{rows}_first_load_postgres_cpu_s"]
    )
    return (
        f"| {rows:,} | {limit:.2f} | {load:.2f} | {load / limit:.2f} | {load / rows * 1e6:.1f} | "
        f"{cpu / rows * 1e6:.1f} | {found[f'growth_{rows}_first_load_rss_mb']:.0f} |"
    )


def verification_lines(found: Figures) -> list[str]:
    """What a verification takes, if it was measured."""
    if found.get("verify_s") is None:
        return []
    return [
        "",
        f"Verification: {found['verify_s']:.1f} s without SendGrid's time to write the export, "
        f"{found['verify_over_read']} times one reading of both sides "
        f"({found['verify_download_s']:.1f} s the export, {found['verify_read_s']:.1f} s B2CORE), "
        f"{found['verify_rss_mb']:.0f} MB.",
    ]


def first_load_lines(found: Figures) -> list[str]:
    """First loads through the real scheduler, if they were measured, and the tasks' memory."""
    lines = []
    for prefix, executor in EXECUTORS.items():
        if found.get(f"{prefix}_s") is None:
            continue
        tasks = [key.removesuffix("_rss_mb").removeprefix(f"{prefix}_") for key in found
                 if key.startswith(prefix) and key.endswith("_rss_mb")]  # fmt: skip
        lines += [
            "",
            f"First load of {found['airflow_clients']:,} by {executor}, "
            f"{found[f'{prefix}_slots']} tasks at once: {found[f'{prefix}_s']:.1f} s from trigger "
            f"to end, {found[f'{prefix}_over_cli']} times the command line's "
            f"{found[f'{prefix}_cli_s']:.1f} s, {found[f'{prefix}_above_share_s']:.1f} s above 1.3 "
            "times (the target: 15). Seconds from the start of a task's first process to the end "
            "of its last, and the largest peak memory of one of them in MB:",
            "",
            "| task | s | MB |",
            "|---|--:|--:|",
            *(f"| {task} | {found[f'{prefix}_{task}_s']:.1f} | "
              f"{found[f'{prefix}_{task}_rss_mb']:.0f} |" for task in tasks),
        ]  # fmt: skip
    return lines


def airflow_lines(found: Figures) -> list[str]:
    """What the real scheduler adds, if it was measured."""
    lines = []
    if found.get("airflow_overhead_s") is not None:
        lines += [
            "",
            f"Through Airflow's scheduler, from trigger to finished: "
            f"{found['airflow_no_change_s']:.1f} s with no change, "
            f"{found['airflow_hundred_changed_s']:.1f} s with 100.",
        ]
    if found.get("airflow_empty_s") is not None:
        lines += [
            f"With {found['airflow_clients']:,} clients; a DAG of {found['airflow_empty_tasks']} "
            f"tasks that do nothing takes {found['airflow_empty_s']:.1f} s; a run without a change "
            f"has {found['airflow_no_change_tasks']} with a process. SendGrid had accepted 100 "
            f"changes after {found['airflow_hundred_accepted_s']:.1f} s.",
        ]
    lines += first_load_lines(found)
    for prefix in ("freshness", "freshness_event"):
        if found.get(f"{prefix}_p50_s") is not None:
            schedule = found[f"{prefix}_schedule"]
            lines += [
                "",
                f"Freshness at `{schedule}`, from COMMIT to contact: half within "
                f"{found[f'{prefix}_p50_s']:.0f} s, 95 % within {found[f'{prefix}_p95_s']:.0f} s "
                f"({found[f'{prefix}_changes']} changes).",
            ]
    if found.get("freshness_load_p95_s") is not None:
        lines += [
            "",
            f"With {found['freshness_load_per_minute']:,} changes a minute for "
            f"{found['freshness_load_minutes']} minutes among {found['freshness_load_clients']:,} "
            f"clients: half within {found['freshness_load_p50_s']:.0f} s, 95 % within "
            f"{found['freshness_load_p95_s']:.0f} s; the sync takes "
            f"{found['freshness_load_b2core_percent']:.1f} % of a core of B2CORE.",
        ]
    return lines
