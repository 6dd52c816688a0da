"""R09: a client id is given to another person, as after a delete, or a reload of the tables."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contact_sync.base.errors import FatalError
from tests.integration.sending.test_group_unsubscribes import members, unsubscribe
from tests.support.others import lists_of, others_of, put
from tests.support.world import World

FIRST, NEWCOMER = "first@example.com", "newcomer@example.com"
THEN = datetime(2020, 5, 17, 12, tzinfo=UTC)
LANES = pytest.mark.parametrize("lane", ["json", "csv"])


def given_to_another(world: World, client: int, *, at: datetime | None = None) -> None:
    """The row is deleted, and another one made with its id."""
    world.sql("DELETE FROM b2core.clients WHERE id = %s", client)
    world.add(NEWCOMER, id=client, first_name="Neo", created_at=at or THEN + timedelta(days=900))


def without_key(world: World, folder: Path) -> None:
    """Statements of before: the column isn't there."""
    world.sql_folder = shutil.copytree(world.sql_folder, folder / "b2core")
    path = world.sql_folder / "clients.sql"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(x for x in lines if "AS person_key" not in x), encoding="utf-8")


def test_R09_an_opt_out_stays_with_the_person_who_said_it(world: World) -> None:
    """From everything and from a group: the newcomer has said nothing. The first one's contact goes
    as a deleted client's does."""
    world.redefine(on_client_deleted="delete")
    client = world.add(FIRST, created_at=THEN)
    world.run()
    group = world.emulator.admin.create_group()
    unsubscribe(world, group, FIRST)
    world.emulator.admin.suppress(FIRST)
    given_to_another(world, client)
    report = world.run()
    assert set(world.emulator.admin.suppressions()) == {FIRST}
    assert members(world, group) == {FIRST}
    assert set(world.contacts()) == {NEWCOMER}
    counts = report["counts"]
    assert (counts["new"], counts["address_changed"], counts["removed"]) == (1, 0, 1)
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


@LANES
@pytest.mark.parametrize("kind", ["incremental", "full", "resend"])
def test_R09_lists_and_foreign_values_stay_behind(
    world: World, account: dict[str, str], kind: str, lane: str
) -> None:
    """What people have put on the first one's contact is about that person."""
    world.redefine(lane=lane)
    client = world.add(FIRST, created_at=THEN)
    world.run()
    custom = {account["Notes"]: "called"}
    put(world, {"email": FIRST, "line": "L1", "custom_fields": custom}, account["vip"])
    given_to_another(world, client)
    world.run(kind)
    assert (others_of(world, NEWCOMER), lists_of(world, NEWCOMER)) == ({}, set())
    assert lists_of(world, FIRST) == {account["vip"]}
    world.assert_converged(unlisted={FIRST})


@pytest.mark.parametrize("same", ["address", "key", "neither is told"])
def test_R09_one_of_both_is_a_change_of_the_same_person(
    world: World, same: str, tmp_path: Path
) -> None:
    """Who has moved takes the opt-out along; whose registration is corrected keeps it."""
    if same == "neither is told":
        without_key(world, tmp_path)
    client = world.add(FIRST, created_at=THEN)
    world.run()
    world.emulator.admin.suppress(FIRST)
    if same == "address":
        world.edit(client, created_at=THEN + timedelta(days=1))
        world.run()
        world.edit(client, email=NEWCOMER)
    elif same == "key":
        world.edit(client, email=NEWCOMER)
    else:
        given_to_another(world, client)
    world.run()
    assert set(world.emulator.admin.suppressions()) == {FIRST, NEWCOMER}
    world.assert_converged()


def test_R09_a_key_that_was_not_known_before_is_no_evidence(world: World, tmp_path: Path) -> None:
    """The column is new: the first run notes it, later ones compare."""
    with_key = world.sql_folder
    without_key(world, tmp_path)
    client, other = world.add(FIRST, created_at=THEN), world.add("b@example.com", created_at=THEN)
    world.run()
    world.sql_folder = with_key
    world.emulator.admin.suppress(FIRST, "b@example.com")
    world.edit(client, email="moved@example.com")
    world.run("full")
    assert "moved@example.com" in set(world.emulator.admin.suppressions())
    given_to_another(world, other)
    world.run()
    assert NEWCOMER not in set(world.emulator.admin.suppressions())
    world.assert_converged(unlisted={"b@example.com"})


def rows(world: World) -> list[tuple[int, bool, str]]:
    """Of each row of the ledger: the client, whether a person is noted, which version it is."""
    return world.state(
        """SELECT client_id, person_hash IS NOT NULL, xmin::text FROM contact_sync.ledger
           ORDER BY client_id"""
    )


def noted(world: World) -> dict[int, bool]:
    """For each client of the ledger whether a person is noted."""
    return {client: is_noted for client, is_noted, _ in rows(world)}


def test_R09_a_key_that_is_told_later_is_noted_once_and_sends_nothing(
    world: World, tmp_path: Path
) -> None:
    """Of all; a full run that changes nothing writes no row."""
    with_key = world.sql_folder
    without_key(world, tmp_path)
    first, other = world.add(FIRST, created_at=THEN), world.add("b@example.com")
    nobody = world.add("not an address")
    world.run()
    assert noted(world) == {first: False, other: False, nobody: False}
    world.sql_folder = with_key
    assert world.run("full")["counts"]["sent"] == 0
    assert noted(world) == {first: True, other: True, nobody: True}
    before = rows(world)
    assert world.run("full")["counts"]["sent"] == 0
    assert rows(world) == before


def test_R09_a_first_load_notes_persons_with_their_rows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No statement of its own for any of them, and none for a client that was rejected at first."""
    monkeypatch.setattr("contact_sync.state.persons.SQL", {})
    first, nobody = world.add(FIRST), world.add("not an address")
    world.run()
    assert noted(world) == {first: True, nobody: True}
    world.edit(nobody, email="b@example.com")
    world.run()
    assert noted(world) == {first: True, nobody: True}


def test_R09_a_key_that_is_not_told_for_a_while_is_remembered(world: World, tmp_path: Path) -> None:
    """By the row that is sent meanwhile, too."""
    with_key = world.sql_folder
    client = world.add(FIRST, created_at=THEN)
    world.run()
    without_key(world, tmp_path)
    world.edit(client, first_name="Other")
    assert world.run()["counts"]["sent"] == 1
    world.sql_folder = with_key
    world.emulator.admin.suppress(FIRST)
    given_to_another(world, client)
    world.run()
    assert set(world.emulator.admin.suppressions()) == {FIRST}


@LANES
@pytest.mark.parametrize("is_applied", [False, True])
def test_R09_who_may_have_a_contact_leaves_nothing_either(
    world: World, lane: str, is_applied: bool
) -> None:
    """What its job did is unknown, or known to be nothing."""
    world.redefine(lane=lane, on_client_deleted="delete")
    client = world.add(FIRST, created_at=THEN)
    world.emulator.admin.settings(search_lag=3600 if is_applied else 0)
    world.emulator.admin.job_fault("no_results" if is_applied else "drops_rows", job=lane)
    world.run()
    assert world.fates()[client].startswith("pending")
    world.emulator.admin.settings(search_lag=0)
    leaves_nothing(world, client)


def test_R09_who_was_refused_and_has_a_contact_leaves_nothing_either(world: World) -> None:
    """A look-up has found the contact as it shall be."""
    world.redefine(on_client_deleted="delete")
    client = world.add(FIRST, created_at=THEN)
    world.emulator.admin.settings(refused_emails={FIRST: "no"})
    world.run()
    assert world.fates()[client].startswith("rejected")
    world.emulator.admin.settings(refused_emails={})
    put(world, json.loads(world.last_upsert())["contacts"][0], world.list_id)
    world.run()
    assert world.fates() == {client: "confirmed"}
    leaves_nothing(world, client)


def leaves_nothing(world: World, client: int) -> None:
    """Its opt-out isn't the newcomer's, and its contact goes."""
    world.emulator.admin.suppress(FIRST)
    given_to_another(world, client)
    assert world.run()["counts"]["address_changed"] == 0
    assert set(world.emulator.admin.suppressions()) == {FIRST}
    world.run()
    assert set(world.contacts()) == {NEWCOMER}
    world.assert_converged()


def test_R09_many_ids_of_others_are_a_mass_deletion(world: World) -> None:
    """Tables that were reloaded with new ids: nobody's contact is removed unasked."""
    world.redefine(limits={"removals": {"contacts": 2, "share": 0.0}}, on_client_deleted="delete")
    for n in range(4):
        world.add(f"c{n}@example.com", created_at=THEN + timedelta(days=n))
    world.run()
    world.sql("UPDATE b2core.clients SET email = 'x' || email, created_at = now()")
    calls = world.writes()
    with pytest.raises(FatalError, match="4 contacts would be removed, the limit is 2"):
        world.run()
    assert world.writes() == calls
    world.run(approve=True)
    world.assert_converged()


def test_R09_ids_that_are_dealt_out_anew_carry_nothing(world: World) -> None:
    """The same people with each other's ids: addresses keep what belongs to them."""
    for n in range(3):
        world.add(f"c{n}@example.com", first_name=f"N{n}", created_at=THEN + timedelta(days=n))
    world.run()
    world.emulator.admin.suppress("c0@example.com")
    world.sql(
        """UPDATE b2core.clients AS c
           SET (email, first_name, created_at) = (o.email, o.first_name, o.created_at)
           FROM (SELECT id, email, first_name, created_at FROM b2core.clients) AS o
           WHERE o.id = mod(c.id, 3) + 1"""
    )
    world.run()
    assert set(world.emulator.admin.suppressions()) == {"c0@example.com"}
    world.run()
    world.assert_converged()


def test_R09_a_dry_run_parts_with_nobody(world: World) -> None:
    """It only counts."""
    client = world.add(FIRST, created_at=THEN)
    world.run()
    given_to_another(world, client)
    report = world.run(dry_run=True)
    assert (report["counts"]["new"], report["counts"]["address_changed"]) == (1, 0)
    assert world.state("SELECT count(*) FROM contact_sync.removal") == [(0,)]
    assert world.fates() == {client: "confirmed"}


def test_R09_who_shared_an_address_leaves_its_opt_out_there(world: World) -> None:
    """It had no contact of its own: another client represents the address."""
    client, _ = world.add(FIRST, created_at=THEN), world.add(FIRST)
    world.run()
    assert world.fates()[client].startswith("shared")
    world.emulator.admin.suppress(FIRST)
    given_to_another(world, client)
    world.run()
    assert set(world.emulator.admin.suppressions()) == {FIRST}
    world.assert_converged()
