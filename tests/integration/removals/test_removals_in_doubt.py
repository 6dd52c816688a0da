"""Removals when nobody is certain what SendGrid holds: lagging searches, jobs that say little."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contact_sync.run.sending import removal_targets
from contact_sync.sendgrid.api import SendGridApi
from tests.support.world import World

LAG = 3600.0
"""Seconds by which the search lags in these tests: more than any of them takes."""


def test_F01_two_clients_that_may_hold_one_contact_are_both_excluded(consenting: World) -> None:
    """After a job of unknown fate two ledger rows name one address; it is removed once."""
    consenting.redefine(deadlines={"job_hours": 1.0, "quarantine_minutes": 0})
    ann, _ = consenting.add("ann@example.com"), consenting.add("bob@example.com")
    consenting.run()
    consenting.edit(ann, email="broken")
    newcomer = consenting.add("ann@example.com")
    consenting.forget_a_job()
    assert consenting.run()["books"]["pending"] == 1
    consenting.sql(
        "UPDATE b2core.clients SET last_name = 'opted out' WHERE id = ANY(%s)", [ann, newcomer]
    )
    assert consenting.run()["counts"]["unlisted"] == 1
    consenting.assert_converged(unlisted={"ann@example.com"}, excluded={ann, newcomer})


@pytest.fixture
def sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time has passed: whom SendGrid doesn't find now doesn't exist."""
    monkeypatch.setattr(removal_targets, "SEARCH_LAG_SECONDS", 0.0)


@pytest.mark.parametrize("policy", ["unlist", "delete"])
def test_D09_F01_an_opt_out_of_a_contact_that_isnt_found_yet_is_not_forgotten(
    consenting: World, policy: str
) -> None:
    """The search shows contacts late: a later run finds and removes them."""
    consenting.redefine(on_exclusion=policy)
    consenting.emulator.admin.settings(search_lag=LAG)
    excluded = {consenting.add("ann@example.com"), consenting.add("bob@example.com")}
    consenting.run()
    consenting.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    gone = "removed" if policy == "delete" else "unlisted"
    first = consenting.run()
    assert first["counts"][gone] == 0
    assert any(what.startswith("2 contacts could not be removed") for what in first["degraded"])
    consenting.emulator.admin.settings(search_lag=0)
    assert consenting.run()["counts"][gone] == 2
    unlisted = set() if policy == "delete" else {"ann@example.com", "bob@example.com"}
    consenting.assert_converged(unlisted=unlisted, excluded=excluded)


def test_D09_some_of_a_removal_are_not_found_yet(
    consenting: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom the search shows is removed at once, which it doesn't show either; the run says so."""
    ids = [consenting.add(f"client{n}@example.com") for n in range(3)]
    consenting.run()
    consenting.emulator.admin.advance(2 * LAG)
    consenting.emulator.admin.settings(search_lag=LAG)
    ids.append(consenting.add("late@example.com"))
    consenting.run()
    consenting.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    monkeypatch.setattr("contact_sync.run.sending.removal_targets.SHOWN_SECONDS", 0.2)
    told = "; ".join(consenting.run()["degraded"])
    assert told.startswith("4 contacts could not be removed")
    assert [c["list_ids"] for c in consenting.contacts().values()].count([]) == 3
    consenting.emulator.admin.settings(search_lag=0)
    second = consenting.run()
    assert (second["counts"]["unlisted"], second["degraded"]) == (4, [])
    consenting.assert_converged(unlisted=None, excluded=set(ids))
    assert consenting.contacts()["late@example.com"]["list_ids"] == []


def test_F10_a_contact_that_is_never_found_is_looked_for_until_that_is_certain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody deleted it by hand: the removal ends once a lagging search can't be the cause."""
    client = world.add("ann@example.com")
    world.run()
    (contact,) = world.contacts().values()
    world.delete_at_sendgrid(f"contacts?ids={contact['id']}")
    world.edit(client, email="moved@example.com")
    for _round in range(2):
        assert any("could not be removed" in what for what in world.run()["degraded"])
    monkeypatch.setattr(removal_targets, "SEARCH_LAG_SECONDS", 0.0)
    last = world.run()
    assert [(job["outcome"], job["rows"]) for job in last["jobs"]] == [("nothing_there", 1)]
    assert last["degraded"] == []
    assert world.run()["jobs"] == []


def test_F08_a_deletion_that_counts_too_few_is_looked_at_again(world: World) -> None:
    """`completed`, but a contact is still there: two are gone, the next run deletes the third."""
    for n in range(3):
        world.add(f"old{n}@example.com")
    world.run()
    world.sql("UPDATE b2core.clients SET email = replace(email, 'old', 'new')")
    world.emulator.admin.job_fault("drops_rows", job="delete")
    first = world.run()
    assert first["counts"]["removed"] == 2
    assert any("could not be removed" in what for what in first["degraded"])
    assert len(world.contacts()) == 4
    world.run()
    world.assert_converged()


@pytest.mark.usefixtures("sure")
def test_F08_deletions_that_are_never_counted_come_to_an_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If SendGrid doesn't count deletions at all, the search proves them."""
    ask = SendGridApi.job
    monkeypatch.setattr(SendGridApi, "job", lambda *of: replace(ask(*of), deleted=0))
    client = world.add("ann@example.com")
    world.run()
    world.edit(client, email="moved@example.com")
    report = world.run()
    assert (report["counts"]["removed"], report["degraded"]) == (1, [])
    assert world.run()["jobs"] == []
    world.assert_converged()


def test_F06_a_contact_that_cannot_be_searched_holds_up_nothing(world: World) -> None:
    """SendGrid searches no address over 100 characters: told by every run, the others go on."""
    long = f"{'a' * 60}@{'b' * 50}.example.com"
    clients = [world.add(long), world.add("ann@example.com")]
    world.run()
    for client in clients:
        world.edit(client, email=f"moved{client}@example.com")
    report = world.run()
    assert report["counts"]["removed"] == 1
    for _round in range(2):
        assert any("doesn't search its address" in what for what in report["degraded"])
        world.edit(clients[1], first_name=f"Ann {_round}")
        report = world.run()
        assert report["counts"]["sent"] == 1
    assert set(world.contacts()) == {long, "moved1@example.com", "moved2@example.com"}
