"""How old the oldest change may be that has not reached SendGrid. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contact_sync.base.json_columns import Result
from contact_sync.base.numbers import count
from contact_sync.base.run_life import KindReason
from contact_sync.reporting.shown_run import ShownRun


@dataclass(frozen=True, slots=True)
class Freshness:
    """`oldest_at`: whatever changed in B2CORE before is at SendGrid, or rejected, or excluded.

    None where nothing can be promised yet. `why` says what holds the moment back.
    """

    oldest_at: datetime | None
    why: str
    at_least: bool = False

    def seconds(self, now: datetime) -> float | None:
        """The age of that moment; at least that old if `at_least`."""
        return None if self.oldest_at is None else max(0.0, (now - self.oldest_at).total_seconds())


def freshness(read_at: datetime | None, runs: Sequence[ShownRun]) -> Freshness:
    """From the watermark's moment and the newest runs (newest first).

    When exactly B2CORE changed isn't known, so this is the safe side: every change after the
    snapshot of the last finished run may be waiting. A client that has been pending for several
    runs may have changed just after the snapshot before them.
    """
    if read_at is None:
        return Freshness(None, "no run has finished yet")
    finished = [
        run for run in runs
        if run.state == "succeeded" and not run.dry_run and run.kind_reason != KindReason.TRIAL
    ]  # fmt: skip
    pending = 0
    for run in finished:
        if not (run.result or Result()).books.get("pending"):
            break
        pending += 1
    if not pending:
        return Freshness(read_at, "the last finished run's snapshot of B2CORE")
    if pending < len(finished):
        before, at_least = finished[pending], False
    else:
        before, at_least = finished[-1], True  # of the oldest that was looked at
    seen = before.snapshot
    since = datetime.fromisoformat(seen.read_at) if seen else before.started_at
    clients = (finished[0].result or Result()).books["pending"]
    return Freshness(
        since,
        f"{count(clients, 'client is', 'clients are')} pending; the snapshot that counts",
        at_least,
    )
