"""The trigger of a sync with `schedule: changes`. Its place stays: Airflow's database stores it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

if TYPE_CHECKING:
    from contact_sync.run.watch_source import Watch


class ChangesTrigger(BaseEventTrigger):
    """Fires when a run has to begin, because B2CORE has changed. It knows the sync's name only: the
    definition and the connections are read where it runs."""

    def __init__(self, sync_name: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sync_name = sync_name
        self._watch: Watch | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, for the triggerer."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {"sync_name": self.sync_name}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch until the triggerer ends it."""
        self._watch = watch = await asyncio.to_thread(_watch, self.sync_name)
        async for tables in watch.changes():
            yield TriggerEvent({"sync": self.sync_name, "tables": tables})

    async def cleanup(self) -> None:
        """Leave B2CORE."""
        if self._watch is not None:
            await self._watch.close()


def _watch(name: str) -> Watch:
    # Not above: the DAG processor reads this file again and again, and Arrow takes it a second.
    from functools import partial

    from contact_sync.airflow_edge.handles import databases_of
    from contact_sync.run.watch_source import Watch

    return Watch(partial(databases_of, name))
