"""B03: an opt-out belongs to an address; a client with a new address must not become mailable."""

from __future__ import annotations

import pytest

from contact_sync.base.errors import Fenced
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import open_run
from contact_sync.run.release_lease import release_lease
from contact_sync.run.start_run import start_run
from tests.support.steps import STEPS, everything, go_on
from tests.support.world import API_KEY, World

OLD, NEW = "old@example.com", "new@example.com"
GLOBAL = "/v3/asm/suppressions/global"
SUPPRESS = f"POST {GLOBAL}"


def moved(world: World) -> int:
    """A client whose contact has the old address and who has just got the new one."""
    client = world.add(OLD)
    world.run()
    world.edit(client, email=NEW)
    return client


def suppressed(world: World) -> set[str]:
    """The globally unsubscribed addresses of the account."""
    return set(world.emulator.admin.suppressions())


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_B03_the_opt_out_of_the_old_address_is_carried_over_first(world: World, lane: str) -> None:
    """The new address is suppressed before its first byte leaves, in both lanes."""
    world.redefine(lane=lane)
    moved(world)
    world.emulator.admin.suppress(OLD)
    calls = len(world.writes())
    world.run()
    writes = world.writes()[calls:]
    assert writes[0] == SUPPRESS
    assert suppressed(world) == {OLD, NEW}
    world.assert_converged()
    assert world.run()["jobs"] == []


@pytest.mark.parametrize("singly", [100, 0], ids=["one by one", "all at once"])
def test_B03_who_called_a_mail_spam_gets_none_at_the_new_address(
    world: World, monkeypatch: pytest.MonkeyPatch, singly: int
) -> None:
    """No call makes a spam report: the new address is unsubscribed from everything."""
    monkeypatch.setattr("contact_sync.run.sending.suppressions.MAX_SINGLE_LOOKUPS", singly)
    moved(world)
    world.emulator.admin.suppress(OLD, kind="spam_reports")
    calls = len(world.writes())
    world.run()
    assert world.writes()[calls] == SUPPRESS
    assert suppressed(world) == {NEW}
    world.assert_converged()


@pytest.mark.parametrize("kind", ["bounces", "blocks", "invalid_emails"])
def test_B03_what_could_not_be_delivered_says_nothing_of_the_new_address(
    world: World, kind: str
) -> None:
    """Nobody has said no: the former address was the trouble."""
    moved(world)
    world.emulator.admin.suppress(OLD, kind=kind)
    world.run()
    assert suppressed(world) == set()
    world.assert_converged()


def test_B03_nothing_is_suppressed_without_an_opt_out(world: World) -> None:
    """A plain change of address."""
    moved(world)
    world.run()
    assert SUPPRESS not in world.writes()
    assert suppressed(world) == set()
    world.assert_converged()


def test_B03_a_key_without_the_scope_holds_the_client(world: World) -> None:
    """Nobody can tell whether the old address is unsubscribed: not sent, told, sent later."""
    client = moved(world)
    world.add("other@example.com")
    world.emulator.admin.add_key(API_KEY, "marketing")
    report = world.run()
    assert world.fates()[client] == "pending: suppression_unknown"
    assert (report["counts"]["sent"], report["counts"]["held"]) == (1, 1)
    assert any("pending" in what for what in report["degraded"])
    assert NEW not in world.contacts()
    world.emulator.admin.add_key(API_KEY, "full")
    world.run()
    world.assert_converged()


def test_B03_an_address_that_cannot_be_looked_up_holds_its_client_only(world: World) -> None:
    """SendGrid refuses one look-up: the other moved clients go on, with their opt-outs."""
    odd, ann = world.add("a/b@example.com"), world.add(OLD)
    world.run()
    world.edit(odd, email="odd@example.com")
    world.edit(ann, email=NEW)
    world.emulator.admin.suppress(OLD)
    world.emulator.admin.fault("GET", f"{GLOBAL}/{{email}}", status=404, body="<html>no</html>")
    report = world.run()
    assert world.fates() == {odd: "pending: suppression_unknown", ann: "confirmed"}
    assert (report["counts"]["held"], suppressed(world)) == (1, {OLD, NEW})
    world.run()
    world.assert_converged()


def test_B03_D11_a_plan_that_is_repeated_takes_nobody_out_of_a_batch_that_has_left(
    world: World,
) -> None:
    """The key has lost the scope meanwhile; what has been sent is settled as it was sent."""
    client = moved(world)
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="cleared")
        go_on(sync, run_id, before="settle")
        world.emulator.admin.add_key(API_KEY, "marketing")
        STEPS["plan"](sync, open_run(sync, run_id))
        STEPS["settle"](sync, open_run(sync, run_id))
        release_lease(sync, run_id, "stopped")
    assert world.fates()[client] == "confirmed"
    world.run()
    world.assert_converged()


def test_B03_a_key_that_may_not_suppress_holds_the_client(world: World) -> None:
    """It sees the opt-out and can't carry it over: the new address is not uploaded."""
    client = moved(world)
    world.emulator.admin.suppress(OLD)
    world.emulator.admin.add_key(API_KEY, "sees_suppressions")
    world.run()
    assert world.fates()[client] == "pending: suppression_not_carried"
    assert NEW not in world.contacts()
    world.emulator.admin.add_key(API_KEY, "full")
    world.run()
    assert suppressed(world) == {OLD, NEW}
    world.assert_converged()


def test_B03_many_moved_clients_are_looked_up_in_bulk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above a number all unsubscribes are read, instead of one call a client."""
    monkeypatch.setattr("contact_sync.run.sending.suppressions.MAX_SINGLE_LOOKUPS", 2)
    for n in range(4):
        world.add(f"old{n}@example.com")
    world.run()
    world.emulator.admin.suppress("old2@example.com", "stranger@example.com")
    world.sql("UPDATE b2core.clients SET email = replace(email, 'old', 'new')")
    world.run()
    looked_up = [c for c in world.emulator.admin.calls() if "suppression" in c["path"]]
    assert [call["method"] for call in looked_up] == ["GET", "GET", "POST"]
    assert "new2@example.com" in suppressed(world)
    assert "new1@example.com" not in suppressed(world)
    world.assert_converged()


def test_B03_who_leaves_a_shared_address_takes_its_opt_out_along(world: World) -> None:
    """A client without a contact of its own got its mail at the address that it shared."""
    low = world.add("both@example.com")
    world.run()
    world.add("both@example.com", first_name="Newer")
    world.run()
    world.emulator.admin.suppress("both@example.com")
    world.edit(low, email=NEW)
    world.run()
    assert suppressed(world) == {"both@example.com", NEW}
    world.assert_converged()


def test_F02_suppressions_of_people_are_never_lifted(world: World) -> None:
    """Who unsubscribed at SendGrid stays so, whatever B2CORE says and whatever mode runs."""
    world.seed()
    world.emulator.admin.suppress("client1@example.com")
    world.run()
    world.run("resend")
    assert suppressed(world) == {"client1@example.com"}


def test_the_carry_over_can_be_switched_off(world: World) -> None:
    """`carry_suppressions: false`: no call to the suppressions at all."""
    world.redefine(carry_suppressions=False)
    moved(world)
    world.emulator.admin.suppress(OLD)
    world.run()
    assert suppressed(world) == {OLD}
    assert not [c for c in world.emulator.admin.calls() if "suppression" in c["path"]]
    world.assert_converged()


def test_O04_a_zombie_suppresses_nobody(world: World) -> None:
    """Its plan carries an opt-out over; somebody else has taken the sync over meanwhile."""
    moved(world)
    world.emulator.admin.suppress(OLD)
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="zombie")
        go_on(sync, run_id, before="submit")
        zombie = open_run(sync, run_id)
        start_run(sync, RunKind.INCREMENTAL, holder="successor", take_over=True)
        before = everything(world)
        with pytest.raises(Fenced):
            STEPS["submit"](sync, zombie)
        assert everything(world) == before
    assert suppressed(world) == {OLD}
    world.run(take_over=True)
    assert suppressed(world) == {OLD, NEW}
    world.assert_converged()


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_B03_an_opt_out_is_carried_over_before_the_new_address_exists(
    world: World, lane: str
) -> None:
    """Suppressed first, then uploaded."""
    world.redefine(lane=lane)
    world.add_clients(2)
    world.run()
    world.emulator.admin.suppress("client1@example.com")
    world.edit(1, email="moved@example.com")
    world.run()
    assert "moved@example.com" in world.emulator.admin.suppressions()
    routes = [(c["method"], c["route"]) for c in world.emulator.admin.calls()]
    upload = ("PUT", "/v3/marketing/contacts") if lane == "json" else ("PUT", "/imports/{job_id}")
    last = len(routes) - 1 - routes[::-1].index(upload)
    assert routes.index(("POST", GLOBAL)) < last


def test_B03_an_opt_out_that_cannot_be_carried_over_keeps_the_new_address_back(
    world: World,
) -> None:
    """403: pending, not uploaded; the others are."""
    world.add_clients(2)
    world.run()
    world.emulator.admin.suppress("client1@example.com")
    world.edit(1, email="moved@example.com")
    world.edit(2, first_name="New")
    world.emulator.admin.add_key("SG.sees-only-0123456789", "sees_suppressions")
    world.emulator.admin.fault("POST", GLOBAL, status=403)
    world.run()
    assert world.fates()[1] == "pending: suppression_not_carried"
    assert set(world.contacts()) == {"client1@example.com", "client2@example.com"}
    world.run()
    assert "moved@example.com" in world.contacts()
    assert "moved@example.com" in world.emulator.admin.suppressions()
