"""A run's numbers through Airflow's own metrics: StatsD or OpenTelemetry, as Airflow is set up.

Each is emitted under two names, as Airflow does with its own: `contact_sync.NAME` with the tag
`sync`, and `contact_sync.SYNC.NAME` for receivers without tags. docs/monitoring.md lists them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk.observability import stats

from contact_sync.base.json_columns import Plan, Result
from contact_sync.base.verdicts import BREACHES, Count, unequal
from contact_sync.reporting.run_report import run_counts
from contact_sync.reporting.sending import Sending

if TYPE_CHECKING:
    from contact_sync.state.verifications import Verification

COUNTED = {
    "read": "clients_read", "sent": "contacts_sent", "rejected": "clients_refused",
    "removed": "contacts_removed", "unlisted": "contacts_unlisted",
}  # fmt: skip
"""Counts of a run → counters."""


def emit_run(sync_name: str, plan: Plan, result: Result, duration: timedelta) -> None:
    """Of a run that came to its end, once: what it did, where the clients are, how long it took."""
    counts = run_counts(plan, result, Sending.of(result.sending))
    for key, name in COUNTED.items():
        for full, tags in _names(sync_name, name):
            stats.incr(full, count=counts.get(key, 0), tags=tags)
    for state, clients in result.books.items():
        _gauge(sync_name, f"clients_{state}", clients)
    _gauge(sync_name, "values_dropped", sum((result.dropped_now or {}).values()))
    _timing(sync_name, "run_duration", duration)
    for job in result.jobs:
        if job.seconds is not None:
            took = timedelta(seconds=job.seconds)
            _timing(sync_name, "job_duration", took, lane=job.lane)


def emit_verification(sync_name: str, found: Verification, duration: timedelta) -> None:
    """Of a verification that came to its end: what was compared, what isn't equal, how long it
    took."""
    counts = found.counts
    _gauge(sync_name, "verify_compared", counts.get(Count.COMPARED, 0))
    _gauge(sync_name, "verify_unequal", unequal(counts))
    _gauge(sync_name, "verify_breaches", sum(counts.get(code, 0) for code in BREACHES))
    _timing(sync_name, "verify_duration", duration)


def emit_freshness(sync_name: str, read_at: datetime | None) -> None:
    """How long ago what SendGrid has was read from B2CORE, in seconds; also after a failed run."""
    if read_at is not None:
        age = datetime.now(UTC) - read_at
        _gauge(sync_name, "freshness_seconds", round(age.total_seconds(), 3))


def _gauge(sync_name: str, name: str, value: float) -> None:
    for full, tags in _names(sync_name, name):
        stats.gauge(full, value, tags=tags)


def _timing(sync_name: str, name: str, took: timedelta, **tags: str) -> None:
    for full, own in _names(sync_name, name):
        stats.timing(full, took, tags=own | tags)


def _names(sync_name: str, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    yield f"contact_sync.{name}", {"sync": sync_name}
    yield f"contact_sync.{sync_name}.{name}", {}
