"""What a run changes is listed client by client: kind, fields, batch, SendGrid's answer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.base.vocabulary import RunKind
from contact_sync.cli.main import main
from contact_sync.contacts.sealed_values import unseal
from contact_sync.reporting.change_lines import Change
from contact_sync.run import changes
from contact_sync.run.in_one_process import run_sync
from contact_sync.run.sending import changed_fields, removed_by_hand
from contact_sync.state.for_people.changes import Filter, page_of_changes
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.sync import no_hash_keys
from tests.support.hash_keys import HASH_KEYS
from tests.support.world import World


def listed(world: World, report: dict[str, Any], **only: Any) -> list[Change]:
    """A run's changes, as pages read them."""
    with world.sync() as sync, reading(sync.state) as cursor:
        return page_of_changes(cursor, Filter(report["id"], **only), 1_000)


def told(world: World, report: dict[str, Any], **only: Any) -> list[tuple[Any, ...]]:
    """Client, kind, fields by name, reason and fate of each change."""
    with world.sync() as sync, reading(sync.state) as cursor:
        row = sync_row(cursor, sync.definition.name)
    names = row.fields if row else []
    return sorted(
        (
            (change.client_id, change.kind, change.names(names), change.reason, change.state)
            for change in listed(world, report, **only)
        ),
        key=lambda row: row[:2],
    )


def test_T01_each_change_is_listed_with_its_fields_and_fate(world: World) -> None:
    """The first load, an ordinary run and its dry run before: the same rows but for the fates."""
    world.seed()
    assert told(world, world.run()) == [
        (1, "new", None, None, "confirmed"),
        (2, "new", None, None, "confirmed"),
        (3, "excluded", None, "shared_address", "excluded"),
        (4, "new", None, None, "confirmed"),
        (5, "new", None, None, "confirmed"),
        (6, "rejected", None, "invalid", "rejected"),
    ]
    world.change()
    dry, run = world.run(dry_run=True), world.run()
    rows = [
        (1, "changed", ["first_name", "phone_number"], None),
        (1, "cleared", ["phone_number"], None),
        (2, "changed", ["city"], None),
        (5, "moved", None, None),
        (6, "new", None, None),
    ]
    assert [row[:4] for row in told(world, dry)] == rows
    found = told(world, run)
    assert [row[:4] for row in found if row[1] != "removed"] == rows
    assert {row[4] for row in found if row[1] != "removed"} == {"confirmed"}
    assert [row[:4] for row in found if row[1] == "removed"] == [
        (5, "removed", None, "address_changed")
    ]
    for report in (dry, run):
        assert report["changed_fields"] == {"city": 1, "first_name": 1, "phone_number": 1}
        assert report["compared"] == report["counts"]["changed"] == 2
    jobs = {job["batch_id"]: job for job in run["jobs"]}
    for change in listed(world, run, kind="changed"):
        assert change.batch_id is not None
        assert change.job_id == jobs[change.batch_id]["job_id"]
    assert all(change.batch_id is None for change in listed(world, dry))


def test_T01_rows_are_found_by_kind_field_reason_fate_and_client(world: World) -> None:
    """What SendGrid refuses is a fate of the run's row, with its words; a later run writes nothing
    over it."""
    world.add("ann@example.com", first_name="Ann")
    world.add("bob@example.com", first_name="Bob", phone="call me")
    first = world.run()
    dropped = [(2, "dropped", None, "no_number", "confirmed")]
    assert told(world, first, kind="dropped") == dropped
    assert told(world, first, name="phone_number") == dropped
    world.sql("UPDATE b2core.clients SET first_name = 'Zoe'")
    world.refuse("bob@example.com")
    run = world.run()
    refused = (2, "changed", ["first_name"], "refused_by_sendgrid", "rejected")
    assert told(world, run, state="rejected") == [refused]
    assert told(world, run, reason="refused_by_sendgrid", client_ids=(1, 2)) == [refused]
    with world.sync() as sync, reading(sync.state) as cursor:
        row = sync_row(cursor, "demo")
    bit = row.fields.index("first_name") if row else -1
    assert len(told(world, run, name="first_name", bit=bit)) == 2
    world.edit(2, first_name="Bo")
    world.run()
    assert told(world, run, state="rejected") == [refused]
    assert told(world, run, kind="dropped") == []


def test_T01_many_changes_are_compared_in_part_and_a_few_rows_are_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than are looked up: a part is compared for its fields alone. Of new clients the first
    ones are kept. A search that SendGrid refuses holds nothing up."""
    monkeypatch.setattr(changed_fields, "SAMPLE", 2)
    monkeypatch.setattr(removed_by_hand, "MAX_LOOKED_UP", 3)
    monkeypatch.setattr(changes, "FEW", 4)
    monkeypatch.setattr(changes, "SOME", 3)
    world.add_clients(5)
    assert len(told(world, world.run())) == 3
    world.sql("UPDATE b2core.clients SET first_name = 'Zoe'")
    run = world.run()
    assert (run["compared"], run["changed_fields"]) == (2, {"first_name": 2})
    assert sorted(str(row[2]) for row in told(world, run)) == ["None"] * 3 + ["['first_name']"] * 2
    world.sql("UPDATE b2core.clients SET first_name = 'Ann'")
    world.emulator.admin.fault("POST", "/v3/marketing/contacts/search/emails", status=400)
    run = world.run()
    assert (run["compared"], run["counts"]["sent"]) == (0, 5)


def test_T02_values_are_kept_encrypted_where_the_definition_says_so(world: World) -> None:
    """Before is what SendGrid had; who lacks the key, or copies a row, reads nothing."""
    world.redefine(changes={"values": "encrypted"})
    ann, bob = world.add("ann@example.com", first_name="Ann"), world.add("bob@example.com")
    world.run()
    world.edit(ann, first_name="Anna")
    world.edit(bob, email="bobby@example.com")
    run = world.run()
    by_id = {change.client_id: change for change in listed(world, run) if change.sealed}
    values = {
        client: unseal(HASH_KEYS, (run["id"], client), change.sealed or b"")
        for client, change in by_id.items()
    }
    assert values == {
        ann: {"first_name": ("Ann", "Anna")},
        bob: {"email": ("bob@example.com", "bobby@example.com")},
    }
    with pytest.raises(ValueError, match="isn't of this run and client"):
        unseal(HASH_KEYS, (run["id"], bob), by_id[ann].sealed or b"")


def test_T02_without_a_key_a_run_stops_before_anything_is_sent(world: World) -> None:
    """Where the definition keeps values; the message says both ways out."""
    world.redefine(changes={"values": "encrypted"})
    with world.sync() as sync, pytest.raises(ConfigError, match=r"no key for that.*values: none"):
        run_sync(replace(sync, hash_keys=no_hash_keys), RunKind.INCREMENTAL, holder="test")
    assert world.writes() == []


def test_T03_plan_says_limits_samples_and_the_runs_before(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people and for machines, without a value or an address."""
    world.connect_airflow(monkeypatch)
    world.seed()
    first = world.run()
    world.change()
    assert main(["plan", "demo", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    changes_line, removals_line = said["plan"]["limits"]
    assert (changes_line["n"], changes_line["allowed"]) == (3, 1000)
    assert (removals_line["n"], removals_line["allowed"]) == (1, 50)
    assert [row["client_id"] for row in said["plan"]["samples"]["changed"]] == [1, 2]
    assert said["plan"]["samples"]["changed"][1]["fields"] == ["city"]
    assert [run["id"] for run in said["plan"]["runs_before"]] == [first["id"]]
    assert said["changed_fields"] == {"city": 1, "first_name": 1, "phone_number": 1}
    assert main(["plan", "demo"]) == 0
    told = capsys.readouterr().out
    assert "contacts changed: 3 of 1,000 allowed\n" in told
    assert "    client 2: city\n" in told
    assert "changed, by field, of 2 that were compared with SendGrid:\n    city: 1\n" in told
    assert "@" not in told
