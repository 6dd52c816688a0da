"""R: what a run does that believes nothing, until when, and what must not look like a restore."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contact_sync.base.errors import SyncError
from contact_sync.base.marks import Marks
from contact_sync.base.vocabulary import RunKind
from contact_sync.cli.mark_file import MarkFile
from contact_sync.run.context import open_run
from contact_sync.run.sending import excluded_contacts, removal_targets
from contact_sync.run.settle_earlier_runs import settle_earlier_runs
from contact_sync.run.start_run import start_run
from contact_sync.state.migrate import migrate
from local.postgres.server import Cluster
from tests.support import connections
from tests.support.kept_mark import KeptMark
from tests.support.restores import template
from tests.support.steps import go_on
from tests.support.world import World

SEARCH = "/v3/marketing/contacts/search"
RESTORED = "UPDATE contact_sync.state_identity SET timeline = timeline"
"""Leaves the row of evidence as a restore does."""
REWRITE = (
    "ALTER TABLE contact_sync.ledger ALTER COLUMN retaken TYPE smallint USING retaken + 0::smallint"
)


@contextmanager
def superuser(world: World, cluster: Cluster) -> Iterator[psycopg.Connection]:
    """The administrator of the state database."""
    connections.close_all()
    name = world.state_url.rpartition("/")[2]
    with psycopg.connect(cluster.url(name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def restored(world: World, cluster: Cluster, tmp_path: Path) -> Iterator[World]:
    """A world of six clients whose state database is a copy made after the first run."""
    world.seed()
    world.run()
    with template(cluster, world.state_url, tmp_path) as restore:
        yield replace(world, state_url=restore())


def assert_believed(world: World) -> None:
    """The next run reads changes only, and sends nothing."""
    report = world.run()
    assert (report["kind"], report["counts"]["sent"]) == ("incremental", 0)


@pytest.mark.parametrize(
    "done",
    ["VACUUM FULL contact_sync.state_identity, contact_sync.ledger, contact_sync.run",
     "VACUUM FREEZE contact_sync.state_identity", "VACUUM FULL contact_sync.ledger",
     "CLUSTER contact_sync.ledger USING ledger_pkey", "REINDEX SCHEMA contact_sync",
     "ANALYZE"],
)  # fmt: skip
@pytest.mark.parametrize("mark", [True, False], ids=["mark", "no mark"])
def test_R12_what_an_administrator_does_is_no_restore(
    world: World, cluster: Cluster, done: str, *, mark: bool
) -> None:
    """Tables get other files, and rows are frozen."""
    world = replace(world, marks=KeptMark() if mark else None)
    world.seed()
    world.run()
    with superuser(world, cluster) as connection:
        connection.execute(done.encode())
    assert_believed(world)


@pytest.mark.parametrize("change", ["SELECT 1", REWRITE])
def test_R12_a_migration_is_no_restore(
    world: World, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """One that makes the ledger's rows anew neither; but it hides none."""

    def upgrade(config: Any, _to: str) -> None:
        config.attributes["connection"].exec_driver_sql(change)

    world.seed()
    world.run()
    monkeypatch.setattr("alembic.command.upgrade", upgrade)
    migrate(world.state_url)
    assert_believed(world)
    world.state(RESTORED)
    migrate(world.state_url)
    assert world.run()["kind_reason"] == "state_restored"


def test_R12_many_places_and_syncs_on_one_state_database(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow, two hosts with a file each, no mark at all, another sync: in turns."""
    world.seed()
    places: dict[str, Marks] = {"airflow": KeptMark(), "one": MarkFile("demo")}
    places["two"] = places["one"]
    other = replace(world, marks=KeptMark())
    world.emulator.admin.create_list("Theirs")
    other.redefine(name="other", list="Theirs")
    other.run()
    for number in range(2):
        for place in ("airflow", "one", "two", "other", "nowhere"):
            monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / place))
            own = replace(world, marks=places.get(place))
            report = (other if place == "other" else own).run()
            first = number == 0 and place == "airflow"
            assert report["kind"] == ("full" if first else "incremental"), (number, place)


def test_R12_a_hardened_server_is_believed(world: World, cluster: Cluster) -> None:
    """Its functions about server and timeline are for administrators only: it is done without."""
    names = "pg_control_system(), pg_walfile_name(pg_lsn), pg_current_wal_lsn()"
    with superuser(world, cluster) as connection:
        connection.execute(f"REVOKE EXECUTE ON FUNCTION {names} FROM PUBLIC".encode())
    try:
        world.seed()
        world.run()
        assert_believed(world)
        evidence = "SELECT system_identifier, timeline FROM contact_sync.state_identity"
        assert world.state(evidence) == [(None, None)]
    finally:
        with superuser(world, cluster) as connection:
            connection.execute(f"GRANT EXECUTE ON FUNCTION {names} TO PUBLIC".encode())
    assert_believed(world)
    assert None not in world.state(evidence)[0]


def test_R13_two_state_databases_that_fill_one_account_are_noticed(
    world: World, cluster: Cluster, tmp_path: Path
) -> None:
    """Where they leave their marks at the same place: the sentence names both possibilities."""
    world = replace(world, marks=KeptMark())
    with template(cluster, world.state_url, tmp_path) as restore:
        other = replace(world, state_url=restore())
        world.seed()
        assert world.run()["kind_reason"] == "first_load"
        assert other.run()["kind_reason"] == "first_load"
        for deployment in (world, other, world):
            assert deployment.run()["kind_reason"] == "state_went_back"
        assert_believed(world)


def test_R11_it_is_not_over_before_a_run_has_succeeded(restored: World) -> None:
    """A dry run says what a real one would do and ends nothing; a run that fails neither."""
    for _ in range(2):
        report = restored.run(dry_run=True)
        assert report["kind_reason"] == "state_restored"
        assert report["counts"]["to_send"] == 4
    restored.emulator.admin.fault("PUT", "/v3/marketing/contacts", status=403)
    with pytest.raises(SyncError):
        restored.run()
    assert restored.run(dry_run=True)["kind_reason"] == "state_restored"
    assert restored.run()["counts"]["sent"] == 4
    assert_believed(restored)


def test_R11_nothing_is_sent_while_a_forgotten_request_may_take_effect(restored: World) -> None:
    """It waits as for a request without an answer."""
    restored.redefine(deadlines={"job_hours": 1.0, "quarantine_minutes": 30.0})
    with restored.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        wait = settle_earlier_runs(sync, open_run(sync, run_id))
        assert wait is not None
        restored.state(
            "UPDATE contact_sync.sync SET unproven_since = now() - interval '31 minutes'"
        )
        assert settle_earlier_runs(sync, open_run(sync, run_id)) is None


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_R11_a_batch_that_the_backup_has_open_is_settled_first(
    world: World, cluster: Cluster, tmp_path: Path, lane: str
) -> None:
    """By its job, and then everything is sent as it is now."""
    world = replace(world, marks=KeptMark())
    world.redefine(lane=lane)
    world.seed()
    world.run()
    world.edit(1, first_name="Between")
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="test")
        go_on(sync, run_id, before="settle")
    with template(cluster, world.state_url, tmp_path) as restore:
        world.edit(1, first_name="Later")
        world.run(take_over=True)
        world = replace(world, state_url=restore())
        world.edit(1, first_name="Zoë 1")
        before = len(world.emulator.admin.calls())
        report = world.run(take_over=True)
        assert (report["kind_reason"], report["counts"]["sent"]) == ("state_went_back", 4)
        asked = [call["method"] for call in world.emulator.admin.calls()[before:]]
        assert "GET" in asked[: asked.index("PUT")]
        world.assert_converged()
        assert_believed(world)


def test_R11_who_was_removed_by_hand_stays_removed(
    restored: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as the backup knows it; only a person who asks for a resend brings it back."""
    world = restored
    world.run()
    monkeypatch.setattr(removal_targets, "SEARCH_LAG_SECONDS", 0.0)
    ident = world.contacts()["client1@example.com"]["id"]
    world.delete_at_sendgrid(f"contacts?ids={ident}")
    for _ in range(100):
        if "client1@example.com" not in world.contacts():
            break
        time.sleep(0.02)
    world.edit(1, last_name="Changed")
    assert world.run()["exclusions"].get("removed_by_hand") == 1
    world.state(RESTORED)
    report = world.run()
    assert (report["kind"], report["kind_reason"]) == ("resend", "state_restored")
    assert "client1@example.com" not in world.contacts()
    world.state(RESTORED)
    report = world.run("resend")
    assert report["kind_reason"] == "asked_for"
    asked = "SELECT unproven FROM contact_sync.run WHERE run_id = %s"
    assert world.state(asked, report["id"]) == [("state_restored",)]
    assert "client1@example.com" in world.contacts()


def test_R11_a_client_that_b2core_does_not_hold_stays_unproven(restored: World) -> None:
    """Until it is seen again, and is sent, or is gone."""
    restored.redefine(on_client_deleted="delete")
    restored.sql("DELETE FROM b2core.client_phones WHERE client_id = 5")
    restored.sql("DELETE FROM b2core.client_addresses WHERE client_id = 5")
    restored.sql("DELETE FROM b2core.clients WHERE id = 5")
    restored.run()
    assert restored.fates()[5] == "pending: state_unproven"
    restored.run()
    restored.assert_converged()


def test_R11_every_excluded_client_is_looked_up_at_once(
    consenting: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are: a usual run leaves some to the next."""
    monkeypatch.setattr(excluded_contacts, "MAX_LOOKED_UP", 2)
    for number in range(5):
        consenting.add(f"out{number}@example.com", last_name="opted out")
    consenting.add("ann@example.com")
    for _ in range(3):
        consenting.run()
    emails = [{"email": f"out{number}@example.com"} for number in range(5)]
    consenting.emulator.admin.put_contacts(*emails, list_ids=[consenting.list_id])
    consenting.state(RESTORED)
    report = consenting.run()
    assert report["counts"]["unlisted"] == 5
    assert report["degraded"] == []
