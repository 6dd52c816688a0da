"""The benchmark works: it runs from end to end and writes what it promises. No time is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import AIRFLOW_KEYS
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
