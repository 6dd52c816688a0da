"""Where the package finds what stands beside `plugins/`."""

from __future__ import annotations

from pathlib import Path

INCLUDE = Path(__file__).resolve().parents[3] / "include"
"""`include/` stands beside `plugins/`, in the repository as in an Airflow image."""
