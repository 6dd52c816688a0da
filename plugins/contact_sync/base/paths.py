"""Where the package finds `plugins/` and what stands beside it."""

from __future__ import annotations

from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[2]
"""The folder that the package is in."""
INCLUDE = PLUGINS.parent / "include"
"""`include/` stands beside `plugins/`, in the repository as in an Airflow image."""
