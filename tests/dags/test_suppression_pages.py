"""Who gets no mail from SendGrid, over HTTP, and as an event for other DAGs."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.models.asset import AssetEvent, AssetModel
from airflow.utils.session import create_session

from contact_sync.config.definition import SyncDefinition
from contact_sync.config.parse import parse_definition
from tests.dags.test_dag_runs import run_dag
from tests.dags.test_lookup_pages import table
from tests.dags.test_pages import client, text
from tests.support.accessible import assert_everybody_can_use
from tests.support.world import World

pytestmark = pytest.mark.airflow

PAGE, FILE = "/syncs/demo/suppressions", "/syncs/demo/suppressions.csv"


@pytest.fixture
def asking(connected: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A sync whose definition asks for suppressions, wherever it is read."""

    def with_block(*given: str) -> SyncDefinition:
        block = {"suppressions": connected.definition.suppressions}
        return parse_definition(*given).model_copy(update=block)

    connected.redefine(suppressions={})
    monkeypatch.setattr("contact_sync.config.files.parse_definition", with_block)
    return connected


def told() -> list[dict[str, Any]]:
    """What the events of the asset say, in order."""
    with create_session() as session:
        query = session.query(AssetEvent).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        found = query.filter(AssetModel.name == "sendgrid_suppressions_demo")
        return [dict(event.extra) for event in found.order_by(AssetEvent.id)]


def test_F13_an_event_only_when_something_is_new(asking: World) -> None:
    """In numbers by kind, never with an address."""
    state, tasks = run_dag()
    assert (state, tasks["read_suppressions"], told()) == ("success", "skipped", [])  # by start_run
    asking.emulator.admin.suppress("ann@example.com", kind="bounces")
    run_dag()
    run_dag()
    (event,) = told()
    assert (event["sync"], event["new"], event["lifted"]) == ("demo", {"bounce": 1}, {})


def test_F13_page_and_file_of_suppressions(asking: World) -> None:
    """Words, numbers on the sync's page, addresses only for who may see them; no barrier."""
    for path in (PAGE, FILE):
        assert client(None).get(path).status_code == 401
    assert "No run has read them yet" in text("admin", PAGE)
    asking.run()
    assert "SendGrid suppresses no address" in text("admin", PAGE)
    asking.emulator.admin.suppress("ann@example.com", kind="bounces")
    asking.emulator.admin.suppress("=bob@example.com", kind="blocks")
    asking.run()
    said = text("admin", PAGE)
    for part in ("ann@example.com", "bounced", "blocked", "kind=bounce"):
        assert part in said
    assert "2 addresses" in text("admin", "/syncs/demo")
    only = text("admin", f"{PAGE}?kind=bounce")
    assert "ann@" in only
    assert "bob@" not in only
    text("admin", f"{PAGE}?kind=none", 404)
    assert "ann@" not in text("viewer", PAGE)
    assert [row["email"] for row in table("viewer", FILE)] == ["'=***@e***.com", "a***@e***.com"]
    assert [row["email"] for row in table("admin", f"{FILE}?kind=bounce")] == ["ann@example.com"]
    assert_everybody_can_use(client("admin").get(PAGE).text)
