"""H: who looked at whom is in Airflow's audit log, with the client, and without a value of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.models.log import Log
from airflow.utils.session import create_session
from sqlalchemy import select

from contact_sync.web import run_page
from tests.dags.test_lookup_pages import loaded
from tests.dags.test_pages import client
from tests.support.damage import put
from tests.support.findings import verified
from tests.support.world import World

pytestmark = pytest.mark.airflow

SYNC, ANN = "/syncs/demo", "ann@example.com"


def noted(role: str, method: str, path: str, **options: Any) -> list[dict[str, Any]]:
    """The rows that a request leaves, each with its event and user beside what it says."""
    with create_session() as session:
        before = session.scalars(select(Log.id).order_by(Log.id.desc())).first() or 0
    answer = client(role).request(method, path, follow_redirects=False, **options)
    assert answer.status_code < 400, answer.text
    with create_session() as session:
        rows = session.scalars(select(Log).where(Log.id > before).order_by(Log.id)).all()
        assert {row.dag_id for row in rows} <= {"contact_sync_demo"}
        return [
            {"event": row.event, "user": row.owner, **json.loads(row.extra or "")} for row in rows
        ]


def test_H09_look_ups_and_files_leave_a_row_with_user_sync_and_client(connected: World) -> None:
    """Stored or live, found by id or by address; whoever sees no address leaves one all the
    same. The address that was asked for isn't in it."""
    loaded(connected)
    connected.state(
        "INSERT INTO contact_sync.client_key SELECT sync_id, 2, 'C-2' FROM contact_sync.sync"
    )
    who = {"user": "admin", "sync": "demo"}
    look = {"event": "contact_sync_look_up", "client_id": 1, "client_key": None}
    assert noted("admin", "GET", f"{SYNC}/clients/1") == [
        {**who, **look, "live": False, "addresses": True}
    ]
    (live,) = noted("viewer", "GET", f"{SYNC}/clients/1?live=on")
    assert (live["user"], live["live"], live["addresses"]) == ("viewer", True, False)
    found = {"client_ids": [2, 1], "client_keys": ["C-2", None]}
    asked = noted("admin", "POST", f"{SYNC}/clients", data={"q": ANN, "every": "on"})
    assert asked == [{**who, "event": "contact_sync_search", **found}]
    file = {**who, "event": "contact_sync_download", "addresses": True}
    assert noted("admin", "GET", f"{SYNC}/rejected.csv?reason=missing") == [
        {**file, "list": "rejected", "field": "", "reason": "missing"}
    ]
    for path in ("dropped.csv", "suppressions.csv"):
        (row,) = noted("admin", "GET", f"{SYNC}/{path}")
        assert (row["event"], row["list"]) == (file["event"], path.removesuffix(".csv"))


def test_H09_pages_with_addresses_leave_a_row_and_others_none(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists of clients, of findings, of suppressed addresses, and the examples of a run's report,
    which are masked as long as its page asks again by itself."""
    loaded(connected)
    connected.redefine(suppressions={})
    connected.emulator.admin.suppress(ANN, kind="bounces")
    connected.run()
    put(connected, ANN, first_name="Eve")
    verified(connected, ("different", 2, ANN))
    ids = {"rejected": [3, 4], "dropped": None, "suppressions": None, "verification": None}
    for page, clients in ids.items():
        (row,) = noted("admin", "GET", f"{SYNC}/{page}") or [{}]
        assert row.get("event", "contact_sync_list") == "contact_sync_list"
        assert bool(row) == (page != "dropped")  # nothing is dropped, so nobody is shown
        assert row.get("client_ids") == clients
        assert noted("viewer", "GET", f"{SYNC}/{page}") == []
    connected.state(
        """UPDATE contact_sync.ledger SET email = 'x@example.com', contact_hash = 5
           WHERE client_id = 4"""
    )
    (row,) = noted("admin", "GET", f"{SYNC}/runs/1")
    assert (row["list"], row["client_ids"], row["runs"]) == ("run", [4], [1])
    monkeypatch.setattr(run_page, "is_unfinished", lambda *_: True)
    connected.state("UPDATE contact_sync.run SET state = 'running', finished_at = NULL")
    assert noted("admin", "GET", f"{SYNC}/runs/1") == []
    assert "x@example.com" not in client("admin").get(f"{SYNC}/runs/1").text
