"""R: a sync is renamed, and goes on with what it knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contact_sync.base.errors import ConfigError, LeaseBusy
from contact_sync.base.vocabulary import RunKind
from contact_sync.cli import main as cli
from contact_sync.config import files
from contact_sync.run.start_run import start_run
from contact_sync.state.syncs import rename_sync
from local.postgres.server import Cluster
from tests.support.kept_mark import KeptMark
from tests.support.restores import rows
from tests.support.samples import define
from tests.support.world import World


def renamed(world: World, name: str) -> World:
    """The same world with a definition of another name."""
    return replace(world, definition=world.definition.model_copy(update={"name": name}))


def rename(world: World, old: str, new: str) -> None:
    """As the command does it."""
    with world.sync() as sync, sync.state.transaction() as cursor:
        rename_sync(cursor, old, new)


@pytest.mark.parametrize("was_tried", [False, True], ids=["at once", "after a dry run"])
def test_R01_a_renamed_sync_keeps_what_it_knows(world: World, *, was_tried: bool) -> None:
    """It sends nothing again, and removes the contact of a former address."""
    world.seed()
    world.run()
    after = renamed(world, "after")
    if was_tried:
        after.run(dry_run=True)
    rename(world, "demo", "after")
    assert after.run()["counts"]["sent"] == 0
    world.edit(1, email="moved@example.com")
    assert after.run()["counts"]["removed"] == 1
    after.assert_converged()


def test_R01_a_name_with_clients_of_its_own_is_not_taken(world: World) -> None:
    """Two ledgers can't become one."""
    world.seed()
    world.run()
    renamed(world, "after").run()
    with pytest.raises(ConfigError, match="knows clients of its own"):
        rename(world, "demo", "after")
    with pytest.raises(ConfigError, match="knows no sync 'nothing', only after, demo"):
        rename(world, "nothing", "after")


def test_R01_a_sync_at_work_is_not_renamed(world: World) -> None:
    """Its run would find another definition."""
    world.seed()
    with world.sync() as sync:
        start_run(sync, RunKind.FULL, holder="somebody")
    with pytest.raises(LeaseBusy, match="somebody is at work"):
        rename(world, "demo", "after")


def test_R01_the_command_needs_the_new_definition(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says when the old one is still there."""
    world.seed()
    world.run()
    world.connect_airflow(monkeypatch)
    assert cli.main(["rename", "demo", "after"]) == 1
    assert "There is no sync 'after'" in capsys.readouterr().err
    found = files.Definitions({name: define(name=name) for name in ("demo", "after")})
    monkeypatch.setattr(files, "read_definitions", lambda *_: found)
    monkeypatch.setattr("contact_sync.cli.rename.read_definitions", lambda *_: found)
    assert cli.main(["rename", "demo", "after"]) == 0
    said = capsys.readouterr().out
    assert "demo is after now" in said
    assert "delete the file" in said
    assert renamed(world, "after").run()["counts"]["sent"] == 0


def test_R11_R01_a_restore_to_before_the_rename_is_said(
    world: World, cluster: Cluster, tmp_path: Path
) -> None:
    """Under its new name the sync would begin anew, and hide what it knows under the old one."""
    world.seed()
    world.run()
    after = replace(renamed(world, "after"), marks=KeptMark())
    with rows(cluster, world.state_url, tmp_path) as restore:
        rename(world, "demo", "after")
        after.edit(2, first_name="Between")
        after.run()
        restore()
        after.edit(1, email="moved@example.com")
        before = after.writes()
        for dry_run in (True, False):
            with pytest.raises(ConfigError, match="contact_sync rename demo after"):
                after.run(dry_run=dry_run)
        assert after.writes() == before
        rename(after, "demo", "after")
        assert after.run()["kind_reason"] == "state_went_back"
        after.assert_converged()


def test_R12_R01_a_mark_that_a_former_name_has_left_stops_no_new_sync(world: World) -> None:
    """A name that was given back is free for another sync."""
    marks = KeptMark()
    world.seed()
    world.run()
    after = replace(renamed(world, "after"), marks=marks)
    rename(world, "demo", "after")
    after.run()
    rename(world, "after", "demo")
    world.run()
    assert after.run()["kind_reason"] == "first_load"
