"""The evidence of an erasure, its keys, and that it outlives the state database."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.cli import main as cli
from contact_sync.contacts.hash_keys import HashKey, HashKeys
from contact_sync.erasure.transfer import exported, put_back
from contact_sync.run import select_clients
from contact_sync.state import erasures
from contact_sync.sync import Sync
from tests.support.erased import erase, go_on, outlast_the_search, states, steps, traces
from tests.support.hash_keys import HASH_KEYS
from tests.support.kept_mark import KeptMark
from tests.support.world import World

ANN, BOB = "ann@example.com", "bob@example.com"
OTHER = HashKey("canary-hash-key-of-somebody-else-0123")
LEDGER = "SELECT coalesce(json_agg(l), '[]')::text FROM contact_sync.ledger AS l"
FROM_JSON = """INSERT INTO contact_sync.ledger SELECT * FROM
               json_populate_recordset(NULL::contact_sync.ledger, %s) ON CONFLICT DO NOTHING"""


@pytest.fixture
def two_people(world: World) -> World:
    """Ann and Bob are in SendGrid."""
    world.add(ANN)
    world.add(BOB)
    world.run()
    return world


def export(world: World) -> str:
    """All erasures as a file."""
    with world.sync() as sync, sync.state.transaction() as cursor:
        return exported(cursor, sync.hash_keys().current)


def lose_erasures(world: World, ledger: str) -> None:
    """The state database as it was before the first erasure."""
    for table in ("tombstone", "erasure_step", "erasure"):
        world.state(f"DELETE FROM contact_sync.{table}")
    world.state(FROM_JSON, ledger)


def test_E11_a_restored_state_database_sends_nobody_before_erasures_are_back(
    two_people: World,
) -> None:
    """The mark outside of it knows how many there were; the file brings them back, and what the
    database has again of the person goes again."""
    world = replace(two_people, marks=KeptMark())
    world.run()
    ((ledger,),) = world.state(LEDGER)
    erase(world, email=ANN)
    file = export(world)
    assert ANN not in file
    lose_erasures(world, ledger)
    with pytest.raises(ConfigError, match=r"lost 1 erasure.*--import FILE"):
        world.run()
    assert world.contacts().keys() == {BOB}
    world.emulator.admin.put_contacts({"email": ANN})
    with world.sync() as sync:
        assert put_back(sync, file) == 1
        assert put_back(sync, file) == 0
    assert go_on(world) == [None]
    world.run("resend")
    assert world.contacts().keys() == {BOB}
    assert traces(world, ANN) == []


def test_E11_without_the_file_a_person_says_how_many_are_lost(
    two_people: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exact number, as the error names it."""
    world = replace(two_people, marks=KeptMark())
    world.run()
    ((ledger,),) = world.state(LEDGER)
    erase(world, email=ANN)
    lose_erasures(world, ledger)
    world.connect_airflow(monkeypatch)
    assert cli.main(["erasures", "demo", "--accept-loss", "1"]) == 0
    world.run()
    outlast_the_search(world)
    erase(world, email=ANN)
    lose_erasures(world, "[]")
    with pytest.raises(ConfigError, match="lost 1 erasure"):
        world.run()


def test_E11_a_file_that_was_changed_is_refused(two_people: World) -> None:
    """Every step is sealed."""
    erase(two_people, email=ANN)
    data = json.loads(export(two_people))
    data["erasures"][0]["steps"][0]["reason"] = "another one"
    with two_people.sync() as sync, pytest.raises(ConfigError, match="step 1 of erasure"):
        put_back(sync, json.dumps(data))
    with two_people.sync() as sync, pytest.raises(ConfigError, match="no export"):
        put_back(sync, "{}")


def test_E12_without_the_key_no_run_sends(
    two_people: World,
) -> None:
    """Erased people couldn't be told from others; the key before it is enough."""
    erase(two_people, email=ANN)
    calls = len(two_people.writes())
    two_people.hash_keys = HashKeys(OTHER)
    with pytest.raises(ConfigError, match=f"hash key {HASH_KEYS.current.key_id}"):
        two_people.run("resend")
    assert len(two_people.writes()) == calls
    two_people.hash_keys = HashKeys(OTHER, (HASH_KEYS.current,))
    two_people.run("resend")
    assert two_people.contacts().keys() == {BOB}
    erase(two_people, email=BOB)
    two_people.run("resend")
    assert two_people.contacts() == {}


CHANGES = {
    "edited": "UPDATE contact_sync.erasure_step SET reason = 'none' WHERE step_no = 1",
    "left out": "DELETE FROM contact_sync.erasure_step WHERE step_no = 2",
    "moved": "UPDATE contact_sync.erasure_step SET at = at - interval '1 day' WHERE step_no = 3",
}


@pytest.mark.parametrize("change", CHANGES)
def test_E13_a_changed_record_shows(
    two_people: World,
    change: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the first step that isn't as it was recorded."""
    erasure_id = erase(two_people, email=ANN)
    two_people.connect_airflow(monkeypatch)
    assert cli.main(["erasures", "demo", "--show", erasure_id[:8]]) == 0
    assert "Every step is as it was recorded" in capsys.readouterr().out
    two_people.state(CHANGES[change])
    assert cli.main(["erasures", "demo", "--check"]) == 1
    assert f"{erasure_id}: the record was changed" in capsys.readouterr().out


def test_E14_who_is_lifted_is_sent_again(
    two_people: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, by a person who gives a reason; the record says so."""
    erasure_id = erase(two_people, email=ANN)
    two_people.connect_airflow(monkeypatch)
    lift = ["tombstones", "demo", "--lift", erasure_id]
    assert cli.main(lift) == 1
    assert "needs a reason" in capsys.readouterr().err
    assert cli.main([*lift, "--reason", "came back"]) == 0
    assert cli.main([*lift, "--reason", "came back"]) == 1
    two_people.run()
    assert two_people.contacts().keys() == {ANN, BOB}
    assert (states(two_people), steps(two_people, erasure_id)[-1]) == (
        {erasure_id: "lifted"},
        "lifted",
    )


def test_E14_who_is_lifted_while_a_run_is_at_work_is_sent_by_the_next_one(
    two_people: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run has left the person out already, and would tell the next one that nothing moved."""
    erasure_id = erase(two_people, email=ANN)
    two_people.run()
    two_people.run()
    store = select_clients._store

    def lift_before(sync: Sync, *seen: Any) -> None:
        with sync.state.transaction() as cursor:
            assert erasures.lift(cursor, erasure_id)
        store(sync, *seen)

    with monkeypatch.context() as patch:
        patch.setattr(select_clients, "_store", lift_before)
        assert two_people.run()["books"]["selected"] == 1
    two_people.run()
    assert two_people.contacts().keys() == {ANN, BOB}


def answered(capsys: pytest.CaptureFixture[str], *typed: str) -> tuple[int, Any]:
    """The exit code and the document of a command."""
    code = cli.main([*typed, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_E01_the_commands_erase_a_file_of_people_and_show_what_was_done(
    two_people: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Any,
) -> None:
    """By id and by address; whether an address was erased can be asked."""
    two_people.connect_airflow(monkeypatch)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    people = tmp_path / "people.txt"
    people.write_text(f"1\n\n{BOB}\n", encoding="utf-8")
    code, said = answered(
        capsys, "erase", "demo", "--file", str(people), "--reason", "tickets of May", "--yes"
    )
    assert (code, [one["state"] for one in said["erasures"]]) == (0, ["finished"] * 2)
    assert two_people.contacts() == {}
    code, said = answered(capsys, "erasures", "demo", "--of", ANN.upper())
    assert (code, len(said["erasures"])) == (0, 1)
    code, said = answered(capsys, "erasures", "demo", "--show", said["erasures"][0]["erasure_id"])
    assert said["steps"][0]["reason"] == "tickets of May"
    assert said["first_broken_step"] is None
    assert cli.main(["erase", "demo", "--client", "1", "--reason", f"by {ANN}", "--yes"]) == 1
    assert "may say nothing about the person" in capsys.readouterr().err
