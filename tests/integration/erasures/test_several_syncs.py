"""A person whom several syncs of a state database know, each as it has seen them last."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contact_sync.cli import main as cli
from contact_sync.state import erasures
from contact_sync.state.syncs import rename_sync
from tests.support.erased import ask, erase, go_on, outlast_the_search, traces
from tests.support.world import World, define

ANN, BOB, OLD = "ann@example.com", "bob@example.com", "old@example.com"
ANN_ID = 987_654_321


def another(world: World) -> World:
    """Another sync of the same databases."""
    return replace(world, definition=define(name="other"))


@pytest.mark.parametrize("by", ["client", "email"])
@pytest.mark.parametrize("seen", [True, False])
def test_E10_an_address_change_that_not_every_sync_has_seen_splits_nobody(
    world: World, by: str, seen: bool
) -> None:
    """The same id with an address in common is the same person, not another holder of it; an
    address of before leads to the one that B2CORE has now."""
    other = another(world)
    world.add(OLD, id=ANN_ID)
    world.add(BOB)
    world.run()
    other.run()
    world.edit(ANN_ID, email=ANN)
    if seen:
        other.run()
    ask(world, **({"client": str(ANN_ID)} if by == "client" else {"email": OLD}))
    outlast_the_search(world)
    assert (go_on(world), go_on(other)) == ([None], [None])
    world.run()
    other.run()
    assert world.contacts().keys() == {BOB}
    assert traces(world, ANN, OLD, str(ANN_ID)) == []


def test_E10_another_person_with_the_same_id_in_another_sync_is_left_alone(
    world: World,
) -> None:
    """An id alone says nothing about who it is there: B2CORE may be another one."""
    other = another(world)
    world.add(BOB, id=ANN_ID)
    other.run()
    world.edit(ANN_ID, email=ANN)
    world.run("full")
    outlast_the_search(world)
    erase(world, client=str(ANN_ID))
    world.edit(ANN_ID, email=BOB)
    other.run()
    assert world.contacts().keys() == {BOB}


def test_E10_a_sync_that_begins_later_knows_the_client_when_the_address_changes(
    world: World,
) -> None:
    """Its first run sees the erased address, and keeps in mind whose it was."""
    other = another(world)
    world.add(ANN, id=ANN_ID)
    world.add(BOB)
    world.run()
    erase(world, client=str(ANN_ID))
    other.run()
    world.edit(ANN_ID, email="new@example.com")
    other.run()
    assert world.contacts().keys() == {BOB}
    assert traces(world, "new@example.com", str(ANN_ID)) == []


def test_E18_evidence_is_shown_in_the_syncs_that_it_is_about(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it was asked for, or has found something, also under another name of the sync; whether
    an address was erased can be asked everywhere."""
    other = another(world)
    world.add(ANN)
    world.run()
    world.sql("DELETE FROM b2core.clients")
    other.run()
    outlast_the_search(world)
    erase(world, email=ANN)
    erasure_id = erase(world, email=BOB)

    def shown(sync: World) -> int:
        with sync.sync() as opened, opened.state.transaction() as cursor:
            return len(erasures.erasures(cursor, sync_name=sync.definition.name))

    assert (shown(world), shown(other)) == (2, 0)
    with world.sync() as sync, sync.state.transaction() as cursor:
        rename_sync(cursor, "demo", "renamed")
    assert shown(replace(world, definition=define(name="renamed"))) == 2
    world.connect_airflow(monkeypatch)
    assert cli.main(["erasures", "demo", "--show", erasure_id]) == 1
    assert "0 erasures have ids that begin so" in capsys.readouterr().err
    assert cli.main(["erasures", "demo", "--of", ANN]) == 0
    assert "2 tombstones" in capsys.readouterr().out
