"""Asynchronous jobs: accepted now, carried out later, one after the other.

Everything that changes contacts is a job; GET contacts/imports/{id} serves them all [K API
description]. `pending` covers waiting and running, counts appear while it is still `pending`, zero
counts are omitted and `finished_at` comes with the terminal status [K recording 2026].
"""

from __future__ import annotations

import asyncio
import heapq
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from local.sendgrid_emulator.model.clock import Clock, iso
from local.sendgrid_emulator.model.errors_file import ErrorsFile
from local.sendgrid_emulator.model.job_faults import JobFault, JobFaultKind, JobKind

# `upsert_contacts` [K recording 2026]; the name for deletions was never seen [I].
JOB_TYPES: dict[JobKind, str] = {
    "json": "upsert_contacts",
    "csv": "upsert_contacts",
    "delete": "delete_contacts",
    "list_removal": "remove_contacts_from_list",
    "identifier_removal": "delete_contact_identifier",
    "export": "export_contacts",  # shown nowhere: exports have an answer of their own
}
COUNTS = ("requested", "created", "updated", "deleted", "errored")


@dataclass(slots=True, eq=False)
class Job:
    """One job and how far it got."""

    kind: JobKind
    accepted_at: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    requested: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    errored: int = 0
    unchanged: int = 0
    dropped: int = 0
    failure: str | None = None
    finish_at: float | None = None
    fault: JobFault | None = None
    errors: ErrorsFile | None = None

    def status(self, now: float) -> str:
        """Return the status that the API shows."""
        if self.finish_at is None or now < self.finish_at:
            return "pending"
        applied = self.created + self.updated + self.deleted + self.unchanged
        if self.failure is not None or (self.errored and not applied):
            return "failed"
        return "errored" if self.errored else "completed"

    def answer(self, now: float, errors_url: str | None) -> dict[str, Any]:
        """Return the body of GET contacts/imports/{id}."""
        status = self.status(now)
        counts = {f"{name}_count": getattr(self, name) for name in COUNTS}
        results: dict[str, Any] = {name: count for name, count in counts.items() if count}
        shown: dict[str, Any] = {
            "id": self.id,
            "status": status,
            "job_type": JOB_TYPES[self.kind],
            "results": results,
            "started_at": iso(self.accepted_at),
        }
        if status != "pending" and self.finish_at is not None:
            shown["finished_at"] = iso(self.finish_at)
            if errors_url is not None:
                results["errors_url"] = errors_url
        if self.fault is not None:
            ended = self.finish_at if status != "pending" else None
            self.fault.disguise(shown, None if ended is None else now - ended)
        return shown

    def is_forgotten(self) -> bool:
        """Return whether the API says that there is no such job, by its fault."""
        took_effect = self.finish_at is not None
        return self.fault is not None and self.fault.forgets(took_effect=took_effect)

    def rows_to(self, kind: JobFaultKind) -> int | None:
        """Return the number of rows that a fault of this kind is about; None without one."""
        if self.fault is None or self.fault.kind != kind:
            return None
        return self.fault.after_rows if kind == "fails_halfway" else self.fault.rows


@dataclass(order=True, slots=True)
class _Waiting:
    due: float
    order: int
    job: Job = field(compare=False)
    work: Callable[[], Awaitable[None]] = field(compare=False)


class JobQueue:
    """Carries jobs out in the order in which they fall due; equal delays keep their order."""

    def __init__(self, clock: Clock) -> None:
        """Start without jobs."""
        self.clock = clock
        self.faults: list[JobFault] = []
        self._waiting: list[_Waiting] = []
        self._submitted = 0
        self._changed = asyncio.Event()
        self._aside: asyncio.TaskGroup | None = None

    def begin(self, kind: JobKind) -> Job:
        """Return a new job, with the fault that waits for it if there is one."""
        job = Job(kind, self.clock.now())
        for fault in [item for item in self.faults if item.job in (None, kind)]:
            fault.nth -= 1
            if fault.nth == 0 and job.fault is None:
                job.fault = fault
        self.faults = [item for item in self.faults if item.nth > 0]
        return job

    def submit(self, job: Job, delay: float, work: Callable[[], Awaitable[None]]) -> None:
        """Have a job carried out after a delay, unless its fault is never to start."""
        if job.fault is not None and job.fault.kind == "never_starts":
            return
        if job.fault is not None and job.fault.kind == "slow":
            delay += job.fault.seconds
        self._submitted += 1
        waiting = _Waiting(self.clock.now() + delay, self._submitted, job, work)
        heapq.heappush(self._waiting, waiting)
        self._changed.set()

    def wake(self) -> None:
        """Look at the clock again, after it was advanced."""
        self._changed.set()

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Carry something out while the queue goes on with its next job."""
        if self._aside is None:
            raise AssertionError("the queue runs before it begins a job")
        self._aside.create_task(work)

    async def run(self) -> None:
        """Carry out jobs until cancelled."""
        async with asyncio.TaskGroup() as self._aside:
            while True:
                waiting = await self._next()
                await waiting.work()

    async def _next(self) -> _Waiting:
        while True:
            self._changed.clear()
            remaining = self._waiting[0].due - self.clock.now() if self._waiting else None
            if remaining is not None and remaining <= 0:
                return heapq.heappop(self._waiting)
            try:
                async with asyncio.timeout(remaining):
                    await self._changed.wait()
            except TimeoutError:
                continue
