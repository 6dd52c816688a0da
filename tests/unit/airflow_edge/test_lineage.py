"""Lineage: from the real SQL, only when somebody listens, and never at the cost of the run."""

from __future__ import annotations

import pytest
from airflow.sdk.lineage import HookLineageCollector

from contact_sync.airflow_edge import lineage
from tests.support.world import define

DEMO = define()


def test_the_tables_are_those_that_the_statements_read() -> None:
    """clients.sql joins eight, in subqueries too; scan.sql reads one."""
    names = {table for _, table in lineage.tables(DEMO, ["clients"])}
    assert names == {
        "clients", "client_phones", "client_addresses", "client_statuses", "client_types",
        "countries", "jurisdictions", "verification_levels",
    }  # fmt: skip
    assert lineage.tables(DEMO, ["scan"]) == [("b2core", "clients")]


def test_without_a_listener_not_even_the_connections_are_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Here the connections don't exist; nobody misses them."""
    lineage.note_read(DEMO, "clients")
    lineage.note_written(DEMO)
    assert caplog.records == []


def test_lineage_that_cant_be_told_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody listens, but the connection is gone: the task goes on."""
    monkeypatch.setattr(lineage, "get_hook_lineage_collector", HookLineageCollector)
    lineage.note_read(DEMO, "clients")
    lineage.note_written(DEMO)
    warnings = [r for r in caplog.records if "could not be reported" in r.getMessage()]
    assert len(warnings) == 2
