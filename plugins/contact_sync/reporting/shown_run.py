"""A run as people are shown it: its row in the state database, with all that was written so far,
and how far its batches and slices have got."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contact_sync.base import run_life
from contact_sync.base.json_columns import Approval, Plan, Result, SourceSnapshot
from contact_sync.reporting.sending import JobSum, Sending, sending


@dataclass(frozen=True, slots=True)
class ShownRun:
    """One run. What it hasn't come to yet is None.

    `sync` is its sync's name, `holder` who runs it: a DAG run or a process. `seconds`: those until
    now for a run that hasn't ended. `holds_lease`: it has shown a sign of life lately, and no newer
    run has taken over. `ended_by`, `ended_why`: which run has ended this one, which couldn't write
    its end, and why (EndedWhy); `ended`: those that this one has ended (`run_id`, `why`), None =
    none. `job_sums`: its batches as they are now.
    `unproven`: why the ledger isn't believed, a code of `KindReason`. `report_gone_at`: when its
    plan, result and reason were deleted, because they were old; None = they weren't.
    """

    id: int
    sync_id: int
    sync: str
    kind: str
    kind_reason: str | None
    kind_detail: str | None
    dry_run: bool
    state: str
    reason: str | None
    plan: Plan | None
    result: Result | None
    cause: str | None
    approval: Approval | None
    holder: str
    retry_rejected: bool
    approve_removals: int | None
    started_at: datetime
    finished_at: datetime | None
    snapshot: SourceSnapshot | None
    seconds: float
    holds_lease: bool | None
    ended_by: int | None
    ended_why: str | None
    ended: list[dict[str, Any]] | None
    job_sums: tuple[JobSum, ...] = ()
    unproven: str | None = None
    report_gone_at: datetime | None = None

    @property
    def sending(self) -> Sending:
        """What has become of the contacts that it sends: as of its end where it came to one."""
        if self.result and self.result.sending:
            return Sending.of(self.result.sending)
        to_send = self.plan.counts.get("to_send") if self.plan and not self.dry_run else None
        return sending(self.job_sums, to_send)

    @property
    def unproven_in_words(self) -> str:
        """Why the ledger isn't believed, where the run's kind doesn't say it already."""
        told = self.unproven is None or self.unproven == self.kind_reason
        return "" if told else run_life.kind_reason(str(self.unproven))


@dataclass(frozen=True, slots=True)
class SliceProgress:
    """How many slices and clients a run reads, and how many of them are `done` and `read`."""

    slices: int
    done: int
    clients: int
    read: int


@dataclass(frozen=True, slots=True)
class LaterRun:
    """A run of the same sync that began after another one, and sends."""

    run_id: int
    holder: str
    state: str
    finished_at: datetime | None
    started_at: datetime
    approve_removals: int | None
