"""What Airflow makes of a definition's `schedule`."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, DeltaTriggerTimetable

from contact_sync.airflow_edge.changes_trigger import ChangesTrigger
from contact_sync.config.definition import SyncDefinition


def source_asset(name: str) -> Asset:
    """The clients in B2CORE, watched for changes; an event for each run that these begin."""
    watcher = AssetWatcher(name=f"b2core_clients_{name}_watcher", trigger=ChangesTrigger(name))
    return Asset(
        name=f"b2core_clients_{name}", uri=f"x-contact-sync://{name}/b2core", watchers=[watcher]
    )


def schedule_of(definition: SyncDefinition) -> Any:
    """The `schedule` of the sync's DAG. With `changes`, Airflow queues one run at most while
    another is at work (its AssetDagRunQueue has one row an asset)."""
    if not definition.is_watched:
        return definition.schedule if definition.sends else None
    every = DeltaTriggerTimetable(definition.on_changes.at_least_every)
    return AssetOrTimeSchedule(timetable=every, assets=[source_asset(definition.name)])
