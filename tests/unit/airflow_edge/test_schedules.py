"""What Airflow makes of `schedule: changes`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk import DAG, Asset, AssetAll, AssetOrTimeSchedule, DeltaTriggerTimetable

from contact_sync.airflow_edge.changes_trigger import ChangesTrigger
from contact_sync.airflow_edge.schedules import schedule_of
from tests.support.world import define


def test_a_changing_source_and_the_clock_begin_runs() -> None:
    """The asset's watcher knows the sync by its name only, so that no change of the definition, nor
    a secret, is kept in Airflow's database."""
    found = schedule_of(define(schedule="changes", on_changes={"at_least_every_minutes": 7}))
    DAG("north", schedule=found, max_active_runs=1).validate()
    assert isinstance(found, AssetOrTimeSchedule)
    assert found.timetable == DeltaTriggerTimetable(timedelta(minutes=7))
    assert isinstance(found.asset_condition, AssetAll)
    (asset,) = found.asset_condition.objects
    assert isinstance(asset, Asset)
    (watcher,) = asset.watchers
    path = "contact_sync.airflow_edge.changes_trigger.ChangesTrigger"
    assert watcher.trigger.serialize() == (path, {"sync_name": "demo"})
    assert isinstance(watcher.trigger, ChangesTrigger)


@pytest.mark.parametrize("kept", [{"enabled": False}, {"shadow": True}])
def test_a_sync_that_sends_nothing_is_not_watched(kept: dict[str, bool]) -> None:
    """Its DAG has no schedule at all."""
    assert schedule_of(define(schedule="changes", **kept)) is None
