"""R: a sync whose definition is gone protects and hides nothing in silence, and can be retired."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.base.vocabulary import RunKind
from contact_sync.cli import main as cli
from contact_sync.config import files
from contact_sync.run.start_run import start_run
from contact_sync.state.database import StateDatabase
from contact_sync.state.syncs import forget_sync, rename_sync
from tests.integration.removals.test_removals_and_lists import only
from tests.support.world import World, define

BOTH = "both@example.com"
TABLES = """
SELECT table_name FROM information_schema.columns JOIN information_schema.tables
    USING (table_schema, table_name)
WHERE table_schema = 'contact_sync' AND column_name = 'sync_id' AND table_type = 'BASE TABLE'
"""
"""Also those that migrations to come make."""
SOMETHING = "ledger", "batch", "run", "state_identity", "sync"


def two_syncs(world: World, folder: Path, *, same_list: bool) -> tuple[World, World, int]:
    """Two syncs that have a contact in common; the second one has no definition. Gives both, and
    the first one's client."""
    mine, others = world.add(BOTH), world.add(BOTH)
    sql = world.sql_folder
    world.sql_folder = only(sql, folder / "mine", f"clients.id = {mine}")
    name = "B2CORE clients" if same_list else "Theirs"
    other = replace(
        world,
        definition=define(name="other", list=name),
        list_id=world.list_id if same_list else world.emulator.admin.create_list(name),
        sql_folder=only(sql, folder / "theirs", f"clients.id = {others}"),
    )
    world.run()
    other.run()
    return world, other, mine


def forget(world: World, name: str) -> int:
    """As the command does it."""
    with StateDatabase(world.state_url).transaction() as cursor:
        return forget_sync(cursor, name)


@pytest.mark.parametrize("list_name", ["B2CORE clients", None])
def test_R10_R01_a_definition_that_was_renamed_without_the_command_stops_the_first_run(
    world: World, list_name: str | None
) -> None:
    """Else it would be a first load that knows no former address. Both commands and both ways out
    are named; after the renaming the sync goes on, and nobody is sent again."""
    policies = {} if list_name else {"on_client_deleted": "keep", "on_exclusion": "keep"}
    world.definition = define(name="before", list=list_name, **policies)
    client = world.add("old@example.com")
    world.run()
    after = replace(world, definition=define(name="after", list=list_name, **policies))
    writes = len(world.writes())
    with pytest.raises(ConfigError) as told:
        after.run()
    for part in ("rename before after", "forget before", "with mode full", "has 1 contact where"):
        assert part in str(told.value)
    assert len(world.writes()) == writes
    with StateDatabase(world.state_url).transaction() as cursor:
        rename_sync(cursor, "before", "after")
    after.edit(client, email="new@example.com")
    after.run()
    assert set(after.contacts()) == {"new@example.com"}


def test_R10_R01_another_list_or_a_persons_full_run_begins_beside_a_forsaken_sync(
    world: World,
) -> None:
    """Lists of their own are no sign of a renaming."""
    world.definition = define(name="before")
    world.add("ann@example.com")
    world.run()
    world.emulator.admin.create_list("Another")
    assert replace(world, definition=define(name="aside", list="Another")).run()["books"]
    assert replace(world, definition=define(name="beside")).run("full")["books"]["confirmed"] == 1


@pytest.mark.parametrize("same_list", [True, False], ids=["same list", "lists of their own"])
def test_R10_a_sync_without_a_definition_restrains_nobody_in_silence(
    world: World, tmp_path: Path, same_list: bool
) -> None:
    """Each run names it and the commands; once it is retired, the contact goes."""
    mine, _other, client = two_syncs(world, tmp_path, same_list=same_list)
    assert "other" not in str(mine.report()["degraded"])
    mine.edit(client, email="new@example.com")
    for _ in range(2):
        said = "\n".join(mine.run()["degraded"])
        assert "1 contact should be removed and stays" in said
        assert "the sync 'other' has no definition here and has 1 of them" in said
        assert "python -m contact_sync forget other" in said
        assert "python -m contact_sync rename other NEW" in said
    assert BOTH in mine.contacts()
    forget(mine, "other")
    report = mine.run()
    assert "other" not in str(report["degraded"])
    assert set(mine.contacts()) == {"new@example.com"}
    assert mine.run()["degraded"] == []


def test_R10_what_a_sync_with_a_definition_protects_is_no_restraint(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is anything said while a broken file may be the definition."""
    mine, _other, client = two_syncs(world, tmp_path, same_list=True)
    mine.edit(client, email="new@example.com")
    defined = files.Definitions({name: define(name=name) for name in ("demo", "other")})
    broken = files.Definitions({"demo": define()}, {"other.yaml": "it is broken"})
    for found in (defined, broken):
        monkeypatch.setattr("contact_sync.run.finish_run.read_definitions", lambda f=found: f)
        assert mine.run()["degraded"] == []


def test_R10_a_policy_to_keep_is_no_restraint(world: World, tmp_path: Path) -> None:
    """The contact would stay anyway."""
    mine, _other, client = two_syncs(world, tmp_path, same_list=True)
    mine.redefine(on_address_change="keep")
    mine.edit(client, email="new@example.com")
    assert mine.run()["degraded"] == []


def test_R10_forget_leaves_nothing_of_one_sync_and_all_of_the_others(
    world: World, tmp_path: Path
) -> None:
    """In no table that knows syncs."""
    mine, other, _client = two_syncs(world, tmp_path, same_list=False)
    with other.sync() as sync:
        start_run(sync, RunKind.FULL, holder="killed")
    world.state("UPDATE contact_sync.sync SET lease_until = now() - interval '1 minute'")
    before = mine.report()
    tables = [name for (name,) in mine.state(TABLES)]
    [(sync_id,)] = mine.state("SELECT sync_id FROM contact_sync.sync WHERE name = 'other'")
    count = "SELECT count(*) FROM contact_sync.{} WHERE sync_id = %s"
    had = {table for table in tables if mine.state(count.format(table), sync_id) != [(0,)]}
    assert had.issuperset(SOMETHING)
    forget(mine, "other")
    assert mine.state("SELECT name FROM contact_sync.sync") == [("demo",)]
    for table in tables:
        assert mine.state(count.format(table), sync_id) == [(0,)], table
    orphans = "SELECT count(*) FROM contact_sync.outbox WHERE run_id NOT IN (SELECT run_id FROM "
    assert mine.state(f"{orphans} contact_sync.run)") == [(0,)]
    assert mine.report() == before
    other.run()
    assert other.report()["kind"] == "full"


def test_R10_the_commands_list_ask_and_refuse(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is forgotten of a sync that has a definition or is at work, nor without a yes."""
    mine, other, _client = two_syncs(world, tmp_path, same_list=True)
    mine.connect_airflow(monkeypatch)
    assert cli.main(["syncs"]) == 0
    said = capsys.readouterr().out
    assert "demo: 1 client, 1 contact, 1 run" in said
    assert "other: 1 client, 1 contact, 1 run" in said
    assert said.count("has no definition") == 1
    assert cli.main(["syncs", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["syncs"]
    assert [(each["name"], each["is_defined"]) for each in listed] == [
        ("demo", True), ("other", False),
    ]  # fmt: skip
    assert cli.main(["forget", "demo", "--yes"]) == 1
    assert "has a definition in include/syncs/" in capsys.readouterr().err
    assert cli.main(["forget", "nobody", "--yes"]) == 1
    assert "knows no sync 'nobody', only demo, other" in capsys.readouterr().err
    with other.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="somebody")
        assert cli.main(["forget", "other", "--yes"]) == 1
        assert "somebody is at work" in capsys.readouterr().err
        world.state("UPDATE contact_sync.sync SET lease_until = NULL, lease_holder = NULL")
    assert run_id
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n", raising=False)
    assert cli.main(["forget", "other"]) == 1
    said = "".join(capsys.readouterr())
    assert "The state database has of 'other': 1 client, 2 runs" in said
    assert "0 of them no other sync has" in said
    assert "Nothing was changed" in said
    assert cli.main(["forget", "other", "--yes"]) == 0
    assert "other is forgotten" in capsys.readouterr().out
    assert cli.main(["syncs"]) == 0
    assert "other" not in capsys.readouterr().out
