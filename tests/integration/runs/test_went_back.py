"""R: the state database is restored from a backup; what it knows isn't believed any more."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contact_sync.base.marks import Marks
from contact_sync.cli.mark_file import MarkFile
from local.postgres.server import Cluster
from tests.support.kept_mark import KeptMark
from tests.support.restores import LOGICAL
from tests.support.world import World

OUT: dict[str, Any] = {"last_name": "opted out"}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MarkFile:
    """The file of the command line."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return MarkFile("demo")


@pytest.fixture(params=["airflow", "file", "no mark"])
def marks(request: pytest.FixtureRequest, file: MarkFile) -> Marks | None:
    """Where runs leave their marks."""
    places: dict[str, Marks | None] = {"airflow": KeptMark(), "file": file, "no mark": None}
    return places[request.param]


def opted_out(world: World) -> set[int]:
    """Who has opted out."""
    query = "SELECT id FROM b2core.clients WHERE last_name = 'opted out'"
    return {row[0] for row in world.sql(query)}


def assert_repaired(world: World, *, ghosts: tuple[str, ...] = ()) -> None:
    """Every contact is right; excluded ones are off the list; `ghosts` are left, and no others."""
    for email in ghosts:
        world.delete_at_sendgrid(f"contacts?ids={world.contacts()[email]['id']}")
    for _ in range(100):
        if not world.contacts().keys() & set(ghosts):
            break
        time.sleep(0.05)
    world.assert_converged(unlisted=None, excluded=opted_out(world))


@pytest.mark.parametrize("way", LOGICAL)
def test_R11_what_was_sent_since_the_backup_is_repaired(
    consenting: World, cluster: Cluster, tmp_path: Path, way: str, marks: Marks | None
) -> None:
    """Values that changed and changed back, addresses that did, who came and is excluded, who was
    excluded before and between: in the first run, which says why; the second one sends nothing."""
    world = replace(consenting, marks=marks)
    ann = world.add("ann@example.com", first_name="Ann", phone="+41790000001")
    ben = world.add("ben@example.com", first_name="Ben")
    cas = world.add("cas@example.com", first_name="Cas")
    dan = world.add("dan@example.com", first_name="Dan", **OUT)
    eve = world.add("eve@example.com", first_name="Eve")
    world.run()
    with LOGICAL[way](cluster, world.state_url, tmp_path) as restore:
        world.edit(ann, first_name="Other", last_name="Text")
        world.edit(ben, email="ben2@example.com")
        world.edit(cas, email="cas2@example.com")
        world.edit(dan, last_name="Back")
        new = world.add("new@example.com")
        world.run()
        world.edit(cas, email="cas3@example.com")
        world.run()
        world.edit(eve, email="eve2@example.com")
        world.run()
        world.edit(eve, email="eve@example.com")
        world.run()
        world = replace(world, state_url=restore())
        world.edit(ann, first_name="Ann", last_name=None)
        world.edit(dan, **OUT)
        world.edit(new, **OUT)
        world.edit(ben, email="ben@example.com")
        report = world.run()
        expected = "state_went_back" if marks and way != "ledger alone" else "state_restored"
        assert (report["kind"], report["kind_reason"]) == ("resend", expected)
        # Neither side knows this address any more: docs/production.md says so.
        assert_repaired(world, ghosts=("ben2@example.com",))
        report = world.run()
        assert report["kind"] == "incremental"
        assert report["counts"]["sent"] == 0
