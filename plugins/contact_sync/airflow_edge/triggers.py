"""Triggers: they only wait and poll. What a job's end means is decided by the operator."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from contact_sync.airflow_edge.hook import SendGridHook
from contact_sync.base.errors import SyncError
from contact_sync.sendgrid.api import SendGridApi

POLL_SECONDS = 5.0


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
    """Polls one SendGrid job and fires when it is over, or after `seconds` at the latest.

    It writes nothing and decides nothing, so running twice does no harm. An error while polling
    ends the wait early: the operator polls again itself and raises it where people look.
    The event holds the payload, and `over` if the wait ended early; a job's signed URLs never reach
    Airflow's database.
    """

    def __init__(
        self, sendgrid_conn_id: str, job_id: str, seconds: float, payload: dict[str, Any]
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sendgrid_conn_id = sendgrid_conn_id
        self.job_id = job_id
        self.seconds = seconds
        self.payload = payload

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, for the triggerer."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "sendgrid_conn_id": self.sendgrid_conn_id,
            "job_id": self.job_id,
            "seconds": self.seconds,
            "payload": self.payload,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll in a thread, so that no other trigger waits for our HTTP."""
        until, payload = time.monotonic() + self.seconds, dict(self.payload)
        api = await asyncio.to_thread(SendGridHook(self.sendgrid_conn_id).get_conn)
        try:
            # First poll after the pause, not at once: a deferral that ends within a second or two
            # can collide with the executor's report of its first phase (Airflow 3.3).
            while time.monotonic() < until:
                await asyncio.sleep(min(POLL_SECONDS, max(0.0, until - time.monotonic())))
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
