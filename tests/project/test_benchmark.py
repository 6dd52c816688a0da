"""The benchmark works: it runs from end to end and writes what it promises. No time is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from benchmarks.__main__ import AIRFLOW_KEYS
from benchmarks.airflow_first_load import Pair, figures_of, tasks_of
from benchmarks.airflow_runs import Took
from benchmarks.busy import Busy, beside
from benchmarks.results import first_load_lines
from tests.support.airflow_home import ROOT

PROMISED = (
    *("rows", "limit_s", "first_load_s", "no_change_s", "one_percent_s", "hundred_changed_s"),
    *("backfill_s", "forced_s", "baseline_s", "first_load_over_limit", "baseline_over_first_load"),
    *("no_change_over_start_s", "no_change_b2core_ms"),
    *("peak_rss_mb", *AIRFLOW_KEYS),
)


@pytest.mark.timeout(600)
def test_the_benchmark_measures_everything_and_writes_it_down(tmp_path: Path) -> None:
    """Programs that disagree in a row, a reject or a cell would end it before any figure."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "--rows", "400", "--repetitions", "1"),
            *("--growth", "200", "--parts", "scenarios", "baseline", "growth"),
            *("--output", str(tmp_path)),
        ],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=500,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert all(not isinstance(value, dict | list) for value in found.values())
    assert found["rows"] == 400
    missing = [key for key in PROMISED if not found[key]]
    assert missing == list(AIRFLOW_KEYS)
    assert "*baseline*" in (tmp_path / "latest.md").read_text(encoding="utf-8")
    assert (tmp_path / "performance.png").read_bytes().startswith(b"\x89PNG")


def test_a_step_takes_as_long_as_any_thread_is_at_it() -> None:
    """From 10 to 13 two threads, one after the other ends, and from 20 to 21 one: the clock isn't
    looked at in between."""
    ticks = iter((10.0, 13.0, 20.0, 21.0))
    busy = Busy(lambda: next(ticks))
    first, second = busy.at_work(), busy.at_work()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    with busy.at_work():
        pass
    assert busy.seconds == [4.0]


def test_what_fails_beside_a_measurement_fails_it() -> None:
    """Whatever was measured meanwhile isn't what it says."""

    def work(stop: Event) -> None:
        stop.wait()
        raise RuntimeError("no process is there")

    with pytest.raises(RuntimeError, match="no process"), beside(work) as done:
        assert not done.done()


def test_a_first_load_through_airflow_is_told_with_its_tasks() -> None:
    """From the first start to the last end of a task's instances, and the largest of them."""
    instances = [
        {"id": f"{task} {start}", "task_id": task,
         "start_date": f"2026-01-01T00:00:{start:02}Z", "end_date": f"2026-01-01T00:00:{end:02}Z"}
        for task, start, end in (("stage", 9, 21), ("start", 2, 5), ("stage", 7, 12))
    ]  # fmt: skip
    took = Took(seconds=24.0, accepted=0.0, cpu=1.0, instances=instances)
    tasks = tasks_of(took, {"start 2": 200.0, "stage 7": 300.0, "stage 9": 250.0})
    found = figures_of("airflow_first_load", [Pair(took, tasks, command_line=10.0)])
    assert (found["airflow_first_load_over_cli"], found["airflow_first_load_above_share_s"]) == (
        2.4, 11.0,
    )  # fmt: skip
    told = first_load_lines({**found, "airflow_clients": 9, "airflow_first_load_slots": 2})
    assert told[-2:] == ["| start | 3.0 | 200 |", "| stage | 14.0 | 300 |"]
