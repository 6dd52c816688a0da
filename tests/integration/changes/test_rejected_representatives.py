"""R08: the newest client of a shared address is rejected: the next one represents the address."""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.lookup.explain import explain_client
from contact_sync.state.staging import SQL
from tests.support import connections
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
SHARED = "shared@example.com"
BAD, GOOD = "no number", "+41791234567"


@pytest.fixture
def strict(world: World) -> World:
    """A phone that is none rejects its client."""
    fields: dict[str, Any] = world.definition.model_dump(mode="json")["fields"]
    fields["phone_number"]["on_bad_value"] = "reject"
    world.redefine(fields=fields)
    return world


def sharers(world: World, *phones: str) -> list[int]:
    """Clients with one address, the oldest first, called by their numbers."""
    return [world.add(SHARED, first_name=f"N{n}", phone=p) for n, p in enumerate(phones)]


def who(world: World) -> str:
    """Whose contact it is."""
    assert SHARED in world.contacts()
    return str(world.contact(SHARED)["first_name"])


def steady(world: World, *, name: str) -> None:
    """Nothing is sent any more, in no mode that compares, and the contact stays who it is."""
    for kind in ("incremental", "full", "incremental"):
        assert world.run(kind)["counts"]["sent"] == 0
    assert who(world) == name


def phone(world: World, client: int, text: str) -> None:
    """Another phone of a client."""
    world.sql("UPDATE b2core.client_phones SET phone = %s WHERE client_id = %s", text, client)


@LANES
@pytest.mark.parametrize("bad", [1, 2], ids=["the newest", "the two newest"])
def test_R08_an_older_client_represents_the_address_in_the_same_run(
    strict: World, lane: str, bad: int
) -> None:
    """On a first load, where nobody has been seen before."""
    strict.redefine(lane=lane)
    phones = [GOOD] * (3 - bad) + [BAD] * bad
    ids = sharers(strict, *phones)
    report = strict.run()
    assert who(strict) == f"N{2 - bad}"
    heir, rejected = ids[2 - bad], ids[3 - bad :]
    fates = strict.fates()
    assert fates.pop(heir) == "confirmed"
    assert all(fates[client].startswith("rejected: phone_number") for client in rejected)
    counts = report["counts"]
    assert (counts["read"], counts["new"], counts["rejected"]) == (3, 1, bad)
    assert report["exclusions"] == ({"shared_address": 1} if bad == 1 else {})
    steady(strict, name=f"N{2 - bad}")
    strict.assert_converged(rejected=rejected)


@LANES
def test_R08_the_contact_stays_when_a_newcomer_is_rejected(strict: World, lane: str) -> None:
    """An older client is confirmed: it isn't given up for somebody who can't be sent."""
    strict.redefine(lane=lane)
    sharers(strict, GOOD)
    strict.run()
    strict.add(SHARED, first_name="Bad", phone=BAD)
    strict.run()
    assert who(strict) == "N0"
    steady(strict, name="N0")
    strict.edit(1, first_name="Still here")
    strict.run()
    assert who(strict) == "Still here"


@pytest.mark.parametrize("kind", ["incremental", "full", "resend"])
def test_R08_a_representative_that_becomes_bad_gives_way_and_comes_back(
    strict: World, kind: str
) -> None:
    """Its contact holds nothing of it meanwhile."""
    old, new = sharers(strict, GOOD, GOOD)
    strict.edit(new, last_name="Newer")
    strict.edit(old, last_name=None)
    strict.run()
    assert who(strict) == "N1"
    phone(strict, new, BAD)
    strict.run(kind)
    assert who(strict) == "N0"
    assert "last_name" not in strict.contact(SHARED)
    strict.run()
    steady(strict, name="N0")
    strict.assert_converged(rejected=[new])
    phone(strict, new, GOOD)
    strict.run(kind)
    strict.run()
    steady(strict, name="N1")
    assert strict.fates()[old] == "shared"
    strict.assert_converged()


def test_R08_the_same_row_in_another_form_is_still_bad(strict: World) -> None:
    """A rejected client that changes and stays bad takes nobody's place."""
    old, new = sharers(strict, GOOD, BAD)
    strict.run()
    for text in ("still none", "none at all"):
        phone(strict, new, text)
        strict.run()
        assert who(strict) == "N0"
        assert strict.fates()[old] == "confirmed"
    steady(strict, name="N0")


def test_R08_a_refusal_of_sendgrid_is_a_rejection_too(world: World) -> None:
    """It is known after sending: the next run sends the older one."""
    old, new = sharers(world, GOOD, GOOD)
    world.refuse(SHARED)
    world.run()
    assert world.fates()[new].startswith("rejected")
    world.run()
    assert who(world) == "N0"
    assert world.fates()[old] == "confirmed"
    with world.sync() as sync:
        told = {client: explain_client(sync, client).decision for client in (old, new)}
    assert (told[old].code, told[new].code) == ("unchanged", "refused")
    steady(world, name="N0")
    world.edit(new, first_name="Better")
    world.run()
    assert who(world) == "Better"
    assert world.fates()[old] == "shared"
    world.assert_converged()


def test_R08_a_refusal_is_noticed_by_a_run_that_reads_changes_only(world: World) -> None:
    """Nothing has moved in B2CORE since: the rejection alone tells whom to look at."""
    old, new = sharers(world, GOOD, GOOD)
    for _ in range(3):
        world.run()
    world.refuse(SHARED)
    world.edit(new, first_name="Refused")
    assert world.run()["look"] == "changes"
    assert world.fates()[new].startswith("rejected")
    report = world.run()
    assert (report["look"], report["counts"]["sent"]) == ("nothing", 1)
    assert who(world) == "N0"
    assert world.fates()[old] == "confirmed"


@pytest.mark.parametrize("then", ["deleted", "moved"])
def test_R08_a_rejected_client_that_leaves_changes_nothing(strict: World, then: str) -> None:
    """The older one goes on."""
    old, new = sharers(strict, GOOD, BAD)
    strict.run()
    if then == "deleted":
        strict.sql("DELETE FROM b2core.clients WHERE id = %s", new)
    else:
        strict.edit(new, email="elsewhere@example.com")
    for _ in range(3):
        assert strict.run()["counts"]["sent"] == 0
    assert strict.fates()[old] == "confirmed"
    assert who(strict) == "N0"


def test_R08_the_heir_leaves(strict: World) -> None:
    """Then the next older one is sent."""
    _, heir, _ = sharers(strict, GOOD, GOOD, BAD)
    strict.run()
    assert who(strict) == "N1"
    strict.edit(heir, email="elsewhere@example.com")
    strict.run()
    assert who(strict) == "N0"
    assert set(strict.contacts()) == {SHARED, "elsewhere@example.com"}


def test_R08_an_exclusion_beats_all(consenting: World) -> None:
    """Also that of a client that would be rejected, and of the heir."""
    world = consenting
    fields: dict[str, Any] = world.definition.model_dump(mode="json")["fields"]
    fields["phone_number"]["on_bad_value"] = "reject"
    world.redefine(fields=fields)
    _, new = sharers(world, GOOD, BAD)
    world.run()
    assert who(world) == "N0"
    world.edit(new, last_name="opted out")
    world.run()
    assert set(world.fates().values()) == {
        "excluded: excluded_address", "excluded: excluded_by_b2core: no consent"
    }  # fmt: skip
    assert world.emulator.admin.contacts()[SHARED]["list_ids"] == []


def test_R08_a_dry_run_changes_nothing(strict: World) -> None:
    """Nobody is rejected in it, so that nobody represents anybody."""
    sharers(strict, GOOD, BAD)
    strict.run(dry_run=True)
    assert (strict.contacts(), strict.fates()) == ({}, {})


def rows_touched(plan: dict[str, Any]) -> int:
    """How many rows the nodes of an executed plan gave or threw away."""
    own = plan["Actual Rows"] + plan.get("Rows Removed by Join Filter", 0)
    own += plan.get("Rows Removed by Filter", 0)
    return int(own * plan["Actual Loops"]) + sum(map(rows_touched, plan.get("Plans", [])))


def test_R08_a_first_load_of_many_shared_and_rejected_clients_looks_at_each_once(
    world: World,
) -> None:
    """The ledger's statistics are those of a small table then: a join would compare all pairs."""
    world.add("somebody@example.com")
    world.run()
    with connections.connection(world.state_url) as connection:
        connection.execute(
            """INSERT INTO contact_sync.ledger
                   (sync_id, client_id, state, email_hash, field, reason, rejected_since)
               SELECT 1, 100 + n, CASE WHEN n % 2 = 0 THEN 'shared' ELSE 'rejected' END,
                   1 + n / (1 + n % 2 * 2), CASE WHEN n % 2 = 1 THEN 'email' END,
                   CASE WHEN n % 2 = 1 THEN 'invalid' END,
                   CASE WHEN n % 2 = 1 THEN now() END
               FROM generate_series(1, 6000) AS n"""
        )
        explained = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + SQL["heirs"]
        row = connection.execute(explained, {"sync_id": 1, "run_id": 1}).fetchone()
        connection.rollback()
    assert row is not None
    (found,) = row[0] if isinstance(row, tuple) else row["QUERY PLAN"]
    assert found["Plan"]["Actual Rows"] > 0
    assert rows_touched(found["Plan"]) < 20 * 6000
