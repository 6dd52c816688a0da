"""Which runs of a DAG Airflow may make: all but its *Backfill* of past dates.

A backfill would read B2CORE as it is now, once for each past date. Airflow refuses it by this when
it is asked for, in its UI, API and command line.
"""

from __future__ import annotations

from typing import Any

from airflow.utils.types import DagRunType

RUN_TYPES: list[Any] = [kind for kind in DagRunType if kind is not DagRunType.BACKFILL_JOB]
