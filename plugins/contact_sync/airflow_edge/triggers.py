"""Triggers: they only wait and poll. What a job's end means is decided by the operator."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from contact_sync.airflow_edge.hook import SendGridHook
from contact_sync.base.errors import SyncError
from contact_sync.base.verdicts import ExportStatus
from contact_sync.sendgrid.api import SendGridApi

POLL_SECONDS = 5.0
MAX_EXPORT_PAUSE = 60.0


class WaitTrigger(BaseTrigger):
    """Fires after some seconds with the payload it was given."""

    def __init__(self, seconds: float, payload: dict[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seconds = seconds
        self.payload = payload

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, for the triggerer."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {"seconds": self.seconds, "payload": self.payload}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Sleep once."""
        await asyncio.sleep(self.seconds)
        yield TriggerEvent(self.payload)


class JobTrigger(BaseTrigger):
    """Polls one SendGrid job and fires when it is over, or after `seconds` at the latest; for the
    first time after `first` seconds.

    It writes nothing and decides nothing, so running twice does no harm. An error while polling
    ends the wait early: the operator polls again itself and raises it where people look.
    The event holds the payload, and `over` if the wait ended early; a job's signed URLs never reach
    Airflow's database.
    """

    def __init__(
        self,
        sendgrid_conn_id: str,
        job_id: str,
        seconds: float,
        payload: dict[str, Any],
        first: float = POLL_SECONDS,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sendgrid_conn_id = sendgrid_conn_id
        self.job_id = job_id
        self.seconds = seconds
        self.payload = payload
        self.first = first

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, for the triggerer."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "sendgrid_conn_id": self.sendgrid_conn_id,
            "job_id": self.job_id,
            "seconds": self.seconds,
            "payload": self.payload,
            **({} if self.first == POLL_SECONDS else {"first": self.first}),
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll in a thread, so that no other trigger waits for our HTTP."""
        until, payload = time.monotonic() + self.seconds, dict(self.payload)
        pause = self.first
        api = await asyncio.to_thread(SendGridHook(self.sendgrid_conn_id).get_conn)
        try:
            # First poll after the pause, not at once: a deferral that ends within a second or two
            # can collide with the executor's report of its first phase (Airflow 3.3).
            while time.monotonic() < until:
                await asyncio.sleep(min(pause, max(0.0, until - time.monotonic())))
                pause = POLL_SECONDS
                if await asyncio.to_thread(_is_over, api, self.job_id):
                    payload["over"] = True
                    break
        finally:
            api.close()
        yield TriggerEvent(payload)


def _is_over(api: SendGridApi, job_id: str) -> bool:
    try:
        return api.job(job_id).status.is_terminal
    except SyncError:
        return True


class ExportTrigger(BaseTrigger):
    """Polls SendGrid's exports and fires when none is pending, or after `seconds` at the latest.

    As JobTrigger, it writes and decides nothing, and no signed URL reaches Airflow's database.
    """

    def __init__(
        self,
        sendgrid_conn_id: str,
        export_ids: list[str],
        seconds: float,
        payload: dict[str, Any],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sendgrid_conn_id = sendgrid_conn_id
        self.export_ids = export_ids
        self.seconds = seconds
        self.payload = payload

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, for the triggerer."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "sendgrid_conn_id": self.sendgrid_conn_id,
            "export_ids": self.export_ids,
            "seconds": self.seconds,
            "payload": self.payload,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll in a thread, less and less often: an export takes minutes to hours."""
        until, pause = time.monotonic() + self.seconds, POLL_SECONDS
        hook = SendGridHook(self.sendgrid_conn_id)
        api = await asyncio.to_thread(lambda: hook.get_conn(read_only=True))
        try:
            while time.monotonic() < until:
                await asyncio.sleep(min(pause, max(0.0, until - time.monotonic())))
                pause = min(2 * pause, MAX_EXPORT_PAUSE)
                if await asyncio.to_thread(_are_written, api, self.export_ids):
                    break
        finally:
            api.close()
        yield TriggerEvent(dict(self.payload))


def _are_written(api: SendGridApi, export_ids: list[str]) -> bool:
    try:
        return all(api.export(one).status is not ExportStatus.PENDING for one in export_ids)
    except SyncError:
        return True
