"""L: what is old goes, and nothing that a later run, repair or alert builds on."""

from __future__ import annotations

import json
import os
import signal

import pytest

from contact_sync.base import failpoints
from contact_sync.base.errors import ConfigError
from contact_sync.cli import main as cli
from contact_sync.config.definition import SyncDefinition
from contact_sync.state import pruning
from contact_sync.verify.repair import repair
from tests.support.connections import kept_connections
from tests.support.damage import put
from tests.support.findings import verified
from tests.support.forks import FORKS
from tests.support.old_things import grow_old, ids, pruned
from tests.support.world import World, define

ANN, BOB = "ann@example.com", "bob@example.com"


def some_history(world: World) -> int:
    """Two clients; one changes in each of runs 2 to 4, of which 3 fails; 5 is a dry run, 6 has
    nothing to do. Returns the client that changes."""
    world.add(BOB)
    ann = world.add(ANN)
    world.run()
    for number in (2, 3, 4):
        world.edit(ann, first_name=f"Ann {number}")
        if number == 3:
            world.emulator.admin.fault("GET", "/v3/marketing/lists", status=401)
            with pytest.raises(Exception, match="key"):
                world.run(reason="told by a person")
        else:
            world.run()
    world.run(dry_run=True)
    world.run()
    return ann


def test_L03_only_what_is_old_and_that_nobody_builds_on_goes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches that the ledger names, their runs, the last run that succeeded and the last full one
    stay; reports go before runs. A dry run counts and deletes nothing; one transaction is small."""
    monkeypatch.setattr(pruning, "AT_ONCE", 1)
    monkeypatch.setattr(pruning, "FOUND_AT_ONCE", 2)
    some_history(world)
    assert pruned(world) == {}
    first, second, last = ids(world, "batch")
    grow_old(world, 400)
    due = {"reports": 5, "changes": 4, "batches": 1}
    assert pruned(world, dry_run=True) == due
    assert ids(world, "batch") == [first, second, last]
    assert pruned(world) == due
    assert ids(world, "batch") == [first, last]  # BOB's, and ANN's last
    assert ids(world, "run") == [1, 2, 3, 4, 5, 6]
    told = world.state(
        """SELECT run_id, plan IS NULL AND result IS NULL AND reason IS NULL AND cause IS NULL
           FROM contact_sync.run ORDER BY run_id"""
    )
    assert dict(told) == {1: True, 2: True, 3: True, 4: True, 5: True, 6: False}
    grow_old(world, 800)
    assert pruned(world) == {"runs": 3}
    assert ids(world, "run") == [1, 4, 6]
    assert pruned(world) == {}


def _pruned_and_killed(world: World) -> None:
    os.environ[failpoints.VARIABLE] = "pruned_in_part"
    pruning.AT_ONCE = 3
    with kept_connections():
        pruned(world)


def test_L03_killed_in_the_middle_it_deletes_the_rest_the_next_time(world: World) -> None:
    """And what runs build on stays, as if it had never been killed."""
    some_history(world)
    grow_old(world, 1_200)
    codes = []
    rest = {"batches": 1, "runs": 3}
    assert pruned(world, dry_run=True) == {"reports": 5, "changes": 4} | rest
    for left in (
        {"reports": 2, "changes": 4} | rest,
        {"changes": 4} | rest,
        {"changes": 1} | rest,
        rest,
        {"runs": 3},
        {},
    ):
        child = FORKS.Process(target=_pruned_and_killed, args=(world.portable(),))
        child.start()
        child.join(60)
        codes.append(child.exitcode)
        assert pruned(world, dry_run=True) == left
    assert codes == [-signal.SIGKILL] * 6
    assert (ids(world, "batch"), ids(world, "run")) == ([1, 3], [1, 4, 6])


def test_L03_a_run_whose_report_is_gone_is_shown_as_such(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By `status` and `prune` themselves, for people and for machines."""
    some_history(world)
    grow_old(world, 400)
    world.connect_airflow(monkeypatch)
    assert cli.main(["prune", "demo", "--dry-run"]) == 0
    assert capsys.readouterr().out == "demo: 5 reports, 4 changes, 1 batch to be deleted\n"
    assert cli.main(["prune", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["dry_run"], said["syncs"]["demo"]["reports"]) == (False, 5)
    assert cli.main(["prune"]) == 0
    assert capsys.readouterr().out == "demo: nothing deleted\n"
    assert cli.main(["status", "demo"]) == 0
    assert "report      deleted, as old ones are" in capsys.readouterr().out
    assert world.report(3)["report_gone_at"] is not None


def test_L03_a_repair_takes_nothing_older_than_findings_are_kept(world: World) -> None:
    """Whether or not they were deleted; certificates are kept longer, the newest for ever."""
    client = world.add(ANN)
    world.run()
    for name in ("Eve", "Zoe"):
        put(world, ANN, first_name=name)
        verified(world, ("different", client, ANN), fields=["first_name"])
    grow_old(world, 91)
    with world.sync() as sync, pytest.raises(ConfigError, match=r"older than 90 days.*verify demo"):
        repair(sync)
    assert pruned(world) == {"findings": 2, "changes": 1}
    assert ids(world, "verification") == [1, 2]
    grow_old(world, 1_100)
    assert pruned(world)["verifications"] == 1
    assert ids(world, "verification") == [2]


def test_L03_nothing_goes_while_the_ledger_is_in_doubt(world: World) -> None:
    """What is old may be all that is known."""
    some_history(world)
    grow_old(world, 400)
    world.state("UPDATE contact_sync.sync SET unproven = 'state_restored', unproven_since = now()")
    assert pruned(world) == {}


def test_L03_a_kept_hash_stays_as_long_as_a_client_may_need_it(world: World) -> None:
    """And a lifted suppression, and the values of a sync that doesn't run any more, go."""
    world.redefine(on_address_change="keep", suppressions={})
    ann, bob = world.add(ANN, phone="call me"), world.add(BOB)
    world.run()
    world.edit(ann, email="ann2@example.com")
    world.edit(bob, email="bob2@example.com")
    world.run()
    world.sql("UPDATE b2core.clients SET first_name = 'Zoe'")
    world.run()
    world.state(
        """INSERT INTO contact_sync.suppression
               (sync_id, email, kind, email_hash, first_seen, seen_at, gone_at)
           VALUES (1, 'lifted@example.com', 'bounce', 7, now(), now(), now()),
                  (1, 'in-force@example.com', 'bounce', 8, now(), now(), NULL)"""
    )
    hashed = "(SELECT email_hash FROM contact_sync.removal WHERE client_id = %s AND kept)"
    world.state(  # somebody who has BOB's former address, and isn't sent yet
        f"""INSERT INTO contact_sync.ledger (sync_id, client_id, state, email_hash, reason)
            VALUES (1, 99, 'pending', {hashed}, 'not_shown')""",
        bob,
    )
    grow_old(world, 1_200)
    due = pruned(world, dry_run=True)
    found = pruned(world)
    assert found == due
    assert ids(world, "run") == [1, 3]
    of_runs = ("reports", "changes", "batches", "runs")
    assert {what: found[what] for what in found if what not in of_runs} == {
        "kept_removals": 1, "lifted_suppressions": 1, "dropped_values": 1,
    }  # fmt: skip
    assert world.state("SELECT client_id FROM contact_sync.removal") == [(bob,)]
    assert world.state("SELECT email FROM contact_sync.suppression") == [("in-force@example.com",)]


def test_L03_the_whole_is_kept_as_long_as_its_parts() -> None:
    """Otherwise what is deleted would be needed to understand what is left; null = for ever."""
    for block, said in (
        ({"runs": 100}, "less than batches are kept"),
        ({"batches": None}, "less than batches are kept (for ever)"),
        ({"verifications": 40}, "less than findings are kept"),
        ({"reports": 5}, "greater than or equal to 31"),
    ):
        with pytest.raises(ValueError, match=said.replace("(", r"\(").replace(")", r"\)")):
            define(retention=block)
    nothing = dict.fromkeys(SyncDefinition.model_fields["retention"].get_default().model_dump())
    assert define(retention=nothing).retention.runs is None
