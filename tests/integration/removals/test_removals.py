"""What leaves SendGrid: deleted and excluded clients, former lists; and what must never leave."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contact_sync.base.errors import FatalError
from tests.support.world import World

DELETE, UNLIST = "DELETE /v3/marketing/contacts", "DELETE /v3/marketing/lists/"
FEW = {"removals": {"contacts": 2, "share": 0.0}, "changes": {"contacts": 1000, "share": 1.0}}


def forget(world: World, *clients: int) -> None:
    """Delete clients from B2CORE."""
    world.sql("DELETE FROM b2core.clients WHERE id = ANY(%s)", list(clients))


def test_A08_F07_a_deleted_client_leaves_the_list_after_two_looks(world: World) -> None:
    """One absence may be a mistake; the contact itself and its other lists stay."""
    ann, _ = world.add("ann@example.com"), world.add("bob@example.com")
    world.run()
    other = world.emulator.admin.create_list("Somebody else's")
    world.emulator.admin.put_contacts({"email": "ann@example.com"}, list_ids=[other])
    forget(world, ann)
    first = world.run()
    assert (first["books"]["gone"], first["counts"]["unlisted"]) == (1, 0)
    second = world.run()
    assert (second["books"]["gone"], second["counts"]["unlisted"]) == (0, 1)
    assert world.contacts()["ann@example.com"]["list_ids"] == [other]
    world.assert_converged(unlisted={"ann@example.com"})
    assert not [call for call in world.writes() if call.startswith(DELETE)]
    assert world.run()["jobs"] == []


@pytest.mark.parametrize(("policy", "left"), [("delete", set()), ("keep", {"ann@example.com"})])
def test_A08_the_policy_for_deleted_clients(world: World, policy: str, left: set[str]) -> None:
    """`delete` removes the contact, `keep` leaves it where it is; the ledger forgets the client."""
    world.redefine(on_client_deleted=policy)
    ann, _ = world.add("ann@example.com"), world.add("bob@example.com")
    world.run()
    forget(world, ann)
    world.run()
    world.run()
    assert set(world.contacts()) - {"bob@example.com"} == left
    assert ann not in world.fates()
    assert world.run()["books"] == {
        "selected": 1, "confirmed": 1, "pending": 0, "rejected": 0, "excluded": 0, "gone": 0,
    }  # fmt: skip


def test_A08_a_client_that_comes_back_between_two_looks_stays(world: World) -> None:
    """Two absences with a presence between them are not two in a row."""
    ann, _ = world.add("ann@example.com"), world.add("bob@example.com")
    world.run()
    for _round in range(2):
        forget(world, ann)
        assert world.run()["books"]["gone"] == 1
        world.add("ann@example.com", id=ann)
        assert world.run()["books"]["gone"] == 0
    world.assert_converged()


def test_A08_a_repeated_task_looks_once(world: World) -> None:
    """Clearing `select_clients` doesn't count an absence twice."""
    from contact_sync.base.vocabulary import RunKind
    from contact_sync.run.check_setup import check_setup
    from contact_sync.run.context import open_run
    from contact_sync.run.release_lease import release_lease
    from contact_sync.run.select_clients import select_clients
    from contact_sync.run.settle_earlier_runs import settle_earlier_runs
    from contact_sync.run.start_run import start_run

    ann, _ = world.add("ann@example.com"), world.add("bob@example.com")
    world.run()
    forget(world, ann)
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="cleared")
        settle_earlier_runs(sync, open_run(sync, run_id))
        check_setup(sync, open_run(sync, run_id))
        for _round in range(3):
            select_clients(sync, open_run(sync, run_id))
        release_lease(sync, run_id, "stopped")
    assert world.state("SELECT max(absent) FROM contact_sync.ledger") == [(1,)]


def test_A08_the_address_of_a_deleted_client_that_somebody_has_stays(world: World) -> None:
    """A person registers again: the new client keeps the contact, also when it is rejected."""
    ann, _ = world.add("ann@example.com", phone="+41790000001"), world.add("bob@example.com")
    world.run()
    forget(world, ann)
    world.add("ann@example.com", first_name="Again")
    for _round in range(3):
        world.run()
    world.assert_converged()
    assert not [call for call in world.writes() if call.startswith((DELETE, UNLIST))]


@pytest.mark.parametrize("how", ["empty", "some"])
def test_A23_F05_G5_mass_absence_removes_nobody_and_holds_up_nothing(
    world: World, how: str
) -> None:
    """A view that loses its rows: upserts go on, the run says degraded, later all is well."""
    world.redefine(limits=FEW)
    ids = [world.add(f"client{n}@example.com") for n in range(6)]
    world.run()
    before = world.contacts()
    world.sql("DROP TABLE IF EXISTS b2core.lost")  # of a test that failed
    world.sql("CREATE TABLE b2core.lost AS SELECT * FROM b2core.clients")
    forget(world, *(ids if how == "empty" else ids[:4]))
    if how == "some":
        world.edit(ids[5], first_name="Still synced")
    for _round in range(3):
        report = world.run()
        assert report["state"] == "succeeded"
        assert any("clients are absent from B2CORE" in what for what in report["degraded"])
    assert set(world.contacts()) == set(before)
    assert not [call for call in world.writes() if call.startswith((DELETE, UNLIST))]
    if how == "some":
        assert world.contact("client5@example.com")["first_name"] == "Still synced"
    world.sql("INSERT INTO b2core.clients SELECT * FROM b2core.lost ON CONFLICT DO NOTHING")
    world.sql("DROP TABLE b2core.lost")
    assert world.run()["degraded"] == []
    world.assert_converged()


def test_F06_a_person_approves_the_exact_number_of_absent_clients(world: World) -> None:
    """The guard doesn't block for ever, and a wrong number approves nothing."""
    world.redefine(limits=FEW)
    ids = [world.add(f"client{n}@example.com") for n in range(6)]
    world.run()
    forget(world, *ids[:4])
    assert world.run(approve_removals=3)["counts"]["unlisted"] == 0
    report = world.run(approve_removals=4)
    assert (report["counts"]["unlisted"], report["degraded"]) == (4, [])
    world.assert_converged(unlisted={f"client{n}@example.com" for n in range(4)})


def test_F05_removals_below_the_limit_go_on(world: World) -> None:
    """The guard is for masses: two of six are removed."""
    world.redefine(limits=FEW)
    ids = [world.add(f"client{n}@example.com") for n in range(6)]
    world.run()
    forget(world, *ids[:2])
    world.run()
    assert world.run()["counts"]["unlisted"] == 2


@pytest.mark.parametrize("detection", ["xmin", "updated_at"])
def test_A09_F01_a_newly_excluded_client_leaves_the_list_before_anything_is_sent(
    consenting: World, detection: str
) -> None:
    """The next incremental run sees it although `updated_at` didn't move; a backfill doesn't send
    it again."""
    consenting.redefine(source={"change_detection": detection, "overlap_minutes": 1})
    ann, bob = consenting.add("ann@example.com"), consenting.add("bob@example.com")
    consenting.sql("UPDATE b2core.clients SET updated_at = now() - interval '1 hour'")
    consenting.run()
    consenting.edit(ann, last_name="opted out")
    consenting.edit(bob, first_name="Changed", updated_at=datetime.now(UTC))
    calls = len(consenting.writes())
    report = consenting.run()
    assert (report["counts"]["unlisted"], report["exclusions"]) == (
        1,
        {"excluded_by_b2core: no consent": 1},
    )
    first, second = consenting.writes()[calls:]
    assert first.startswith(UNLIST)
    assert second == "PUT /v3/marketing/contacts"
    sent = consenting.sent().count("ann@example.com")
    for kind in ("full", "resend", "incremental"):
        consenting.run(kind)
    assert consenting.sent().count("ann@example.com") == sent
    consenting.assert_converged(unlisted={"ann@example.com"}, excluded={ann})


@pytest.mark.parametrize(("policy", "left"), [("delete", False), ("keep", True)])
def test_F01_the_policy_for_excluded_clients(consenting: World, policy: str, left: bool) -> None:
    """`delete` removes the contact, `keep` only stops updating it."""
    consenting.redefine(on_exclusion=policy)
    ann, _ = consenting.add("ann@example.com"), consenting.add("bob@example.com")
    consenting.run()
    consenting.edit(ann, last_name="opted out", first_name="Secret")
    consenting.run()
    assert ("ann@example.com" in consenting.contacts()) == left
    assert "Secret" not in consenting.sent()


def test_O09_opted_out_and_in_again_with_a_slow_removal(consenting: World) -> None:
    """A late removal can't undo the return: the next run waits for it."""
    ann = consenting.add("ann@example.com", phone="+41790000001")
    consenting.run()
    consenting.edit(ann, last_name="opted out")
    consenting.run()
    consenting.sql("UPDATE b2core.client_phones SET phone = '' WHERE client_id = %s", ann)
    consenting.edit(ann, last_name="Back")
    report = consenting.run()
    assert report["counts"]["sent"] == 1
    consenting.assert_converged()
    consenting.run()
    consenting.assert_converged()


def test_B04_an_exclusion_takes_the_owner_of_a_shared_address_off_the_list(
    consenting: World,
) -> None:
    """Whoever of them opts out: nobody is mailed at that address, and when it ends, the owner is
    back."""
    low, high = consenting.add("both@example.com"), consenting.add("both@example.com")
    consenting.run()
    consenting.edit(low, last_name="opted out")
    consenting.run()
    consenting.assert_converged(unlisted={"both@example.com"}, excluded={low})
    consenting.edit(low, last_name="back")
    consenting.run()
    assert consenting.fates()[high] == "confirmed"
    consenting.assert_converged()


def test_F01_excluded_and_moved_at_once(consenting: World) -> None:
    """The old contact leaves the list, the new address never reaches SendGrid."""
    ann, _ = consenting.add("ann@example.com"), consenting.add("bob@example.com")
    consenting.run()
    consenting.edit(ann, last_name="opted out", email="new@example.com")
    consenting.run()
    assert "new@example.com" not in consenting.sent()
    consenting.assert_converged(unlisted={"ann@example.com"}, excluded={ann})


def test_F08_F09_a_removal_that_failed_is_repeated(world: World) -> None:
    """Nothing is forgotten when SendGrid doesn't remove at the first try."""
    world.redefine(deadlines={"job_hours": 0.0002, "quarantine_minutes": 0})
    ann, _ = world.add("ann@example.com"), world.add("bob@example.com")
    world.run()
    forget(world, ann)
    world.run()
    world.emulator.admin.job_fault("never_starts", job="list_removal")
    assert any("could not be removed" in what for what in world.run()["degraded"])
    world.run()
    world.assert_converged(unlisted={"ann@example.com"})


@pytest.mark.parametrize("policy", ["keep", "unlist"])
def test_another_list_in_the_definition(world: World, policy: str) -> None:
    """Everybody is on the new list; on the former one only if the definition doesn't say else."""
    former = world.list_id
    for n in range(3):
        world.add(f"client{n}@example.com")
    world.run()
    world.list_id = world.emulator.admin.create_list("The new one")
    world.redefine(list="The new one", on_list_change=policy)
    world.run()
    world.assert_converged()
    on_former = [former in contact["list_ids"] for contact in world.contacts().values()]
    assert on_former == [policy == "keep"] * 3
    assert world.run()["jobs"] == []


def test_G5_too_many_exclusions_wait_for_a_person(consenting: World) -> None:
    """A wrong exclusion column would empty the list: nothing is sent without approval."""
    consenting.redefine(limits=FEW)
    for n in range(4):
        consenting.add(f"client{n}@example.com")
    consenting.run()
    consenting.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    calls = consenting.writes()
    with pytest.raises(FatalError, match="4 contacts would be removed, the limit is 2"):
        consenting.run()
    assert consenting.writes() == calls
    assert consenting.run(approve=True)["counts"]["unlisted"] == 4
    consenting.assert_converged(
        unlisted={f"client{n}@example.com" for n in range(4)},
        excluded={row[0] for row in consenting.sql("SELECT id FROM b2core.clients")},
    )
