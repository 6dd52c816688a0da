"""V: what a verification has found is put right by the next ordinary run, and by nothing else."""

from __future__ import annotations

import pytest

from contact_sync.base.errors import ConfigError, FatalError, LeaseBusy
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.start_run import start_run
from contact_sync.verify.repair import Repaired, repair
from tests.support.consents import opt_out_column
from tests.support.damage import put
from tests.support.findings import verified
from tests.support.world import World

ANN, BOB = "ann@example.com", "bob@example.com"


def repaired(world: World, approve_foreign: int | None = None) -> Repaired:
    """Mark what the newest verification found."""
    with world.sync() as sync:
        return repair(sync, approve_foreign=approve_foreign)


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_V04_other_values_are_sent_again_and_what_b2core_lacks_is_emptied(
    world: World, lane: str
) -> None:
    """By an incremental run, although nothing has changed in B2CORE."""
    world.redefine(lane=lane)
    client = world.add(ANN, first_name="Ann")
    world.run()
    put(world, ANN, first_name="Eve", city="Elsewhere")
    verified(world, ("different", client, ANN), fields=["first_name", "city"])
    assert repaired(world) == Repaired(1, 0, 0, 0)
    assert world.fates()[client] == "pending: found_different"
    report = world.run()
    assert (report["kind"], report["counts"]["sent"]) == ("incremental", 1)
    world.assert_converged()
    assert repaired(world) == Repaired(0, 0, 0, 0)
    assert world.fates()[client] == "confirmed"


@pytest.mark.parametrize("verdict", ["missing", "off_list"])
def test_V03_who_was_removed_at_sendgrid_is_brought_back(world: World, verdict: str) -> None:
    """An ordinary run leaves whom a person removed; a repair is asked for."""
    client = world.add(ANN)
    world.run()
    ident = world.contacts()[ANN]["id"]
    path = f"contacts?ids={ident}" if verdict == "missing" else (
        f"lists/{world.list_id}/contacts?contact_ids={ident}"
    )  # fmt: skip
    world.delete_at_sendgrid(path)
    verified(world, (verdict, client, ANN))
    repaired(world)
    assert world.run()["counts"]["sent"] == 1
    world.assert_converged()


def test_V06_who_must_not_be_on_the_list_leaves_it_as_its_reason_says(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An excluded client and a deleted one are taken off, a former address's contact is deleted."""
    world.sql_folder = opt_out_column(world.sql_folder, tmp_path_factory.mktemp("sql") / "b2core")
    client, excluded = world.add(ANN), world.add(BOB, last_name="opted out")
    world.run()
    for email in (BOB, "gone@example.com", "former@example.com", "ghost@example.com"):
        put(world, email)
    verified(
        world, ("excluded_on_list", excluded, BOB), ("deleted_on_list", 77, "gone@example.com"),
        ("former_on_list", client, "former@example.com"), ("ghost", None, "ghost@example.com"),
    )  # fmt: skip
    assert repaired(world) == Repaired(0, 4, 0, 0)
    world.run()
    world.assert_converged(excluded=[excluded], unlisted=[BOB, "gone@example.com"])


def test_V06_an_address_that_a_client_has_by_now_stays(world: World) -> None:
    """What was found is looked at again before anything is removed."""
    client = world.add(ANN)
    world.run()
    put(world, BOB)
    verified(world, ("ghost", None, BOB))
    repaired(world)
    world.edit(client, email=BOB)
    world.run()
    world.assert_converged()


def test_V07_foreign_contacts_are_touched_for_the_exact_number_only(world: World) -> None:
    """They leave the list and stay in the account; nothing is remembered of them."""
    world.add(ANN)
    world.run()
    put(world, "foreign@example.com", city="Theirs")
    before = world.contact("foreign@example.com")
    verified(world, ("foreign_on_list", None, "foreign@example.com"))
    with pytest.raises(ConfigError, match=r"`verify\.foreign: keep`"):
        repaired(world, approve_foreign=1)
    assert repaired(world) == Repaired(0, 0, 0, 0)
    world.redefine(verify={"foreign": "unlist"})
    assert repaired(world) == repaired(world, approve_foreign=2) == Repaired(0, 0, 0, 1)
    assert world.run()["counts"]["to_remove"] == 0
    assert repaired(world, approve_foreign=1) == Repaired(0, 0, 1, 0)
    world.run()
    world.assert_converged(unlisted=["foreign@example.com"])
    assert world.contact("foreign@example.com") == before
    assert world.state("SELECT email FROM contact_sync.removal") == []


def test_V08_a_repair_is_under_the_limits_of_a_run(world: World) -> None:
    """More changes than the definition allows need a person, as any others."""
    world.redefine(limits={"changes": {"contacts": 0, "share": 0}})
    client = world.add(ANN)
    world.run()
    put(world, ANN, first_name="Eve")
    verified(world, ("different", client, ANN), fields=["first_name"])
    repaired(world)
    with pytest.raises(FatalError, match="above the definition's limits"):
        world.run()
    world.run(approve=True)
    world.assert_converged()


def test_V08_a_repair_waits_for_the_run_that_is_at_work(world: World) -> None:
    """Nothing is marked while another one has the lease; without a verification nothing at all."""
    client = world.add(ANN)
    world.run()
    with pytest.raises(ConfigError, match="no verification of 'demo' has come to its end"):
        repaired(world)
    verified(world, ("missing", client, ANN))
    with world.sync() as sync:
        start_run(sync, RunKind.INCREMENTAL, holder="another")
        with pytest.raises(LeaseBusy, match="another is at work"):
            repair(sync)
    assert world.fates()[client] == "confirmed"
