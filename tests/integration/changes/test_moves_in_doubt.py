"""B21: the former contact isn't removed before SendGrid shows the new one with all that it held,
whatever goes wrong on the way."""

from __future__ import annotations

import time

import pytest

from tests.support.others import lists_of, others_of, put
from tests.support.world import World

SHOWN_AFTER = "contact_sync.run.sending.move_person.SHOWN_AFTER_SECONDS"
OLD, NEW = "old@example.com", "new@example.com"


@pytest.mark.parametrize("trouble", ["refused", "failed job", "not stored"])
def test_B21_the_old_contact_stays_until_the_new_one_shows_all(
    world: World, account: dict[str, str], trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal, a job that fails, a request that changes nothing: told, and tried again."""
    monkeypatch.setattr(SHOWN_AFTER, 0.5)
    admin = world.emulator.admin
    client = world.add(OLD)
    world.run()
    put(world, {"email": OLD, "line": "L1"}, account["vip"])
    world.edit(client, email=NEW)
    if trouble == "refused":
        admin.settings(deprecated_fields="refuse")
    elif trouble == "not stored":
        admin.settings(deprecated_fields="ignore")
    else:
        admin.job_fault("fails_halfway", nth=2, job="json", after_rows=0)
    for _ in range(1 if trouble == "failed job" else 2):
        report = world.run()
        assert OLD in world.contacts()
        assert [what for what in report["degraded"] if "doesn't show all" in what]
    admin.settings(deprecated_fields="store")
    assert world.run()["degraded"] == []
    assert set(world.contacts()) == {NEW}
    assert (others_of(world, NEW), lists_of(world, NEW)) == ({"line": "L1"}, {account["vip"]})


def test_B21_what_a_job_has_applied_is_looked_for_until_the_search_shows_it(
    world: World, account: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SendGrid's search lags behind its jobs: the same run moves the person all the same."""
    monkeypatch.setattr("contact_sync.run.sending.removal_targets.SEARCH_LAG_SECONDS", 0.0)
    client = world.add(OLD)
    world.run()
    put(world, {"email": OLD, "line": "L1"}, account["vip"])
    world.emulator.admin.settings(search_lag=1.5)
    world.edit(client, email=NEW)
    time.sleep(1.5)
    report = world.run()
    assert (report["degraded"], report["counts"]["moved"]) == ([], 1)
    assert set(world.contacts()) == {NEW}


def test_B21_a_search_that_lags_loses_nothing(
    world: World, account: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither contact is shown at first: nothing is removed before it has been looked at."""
    monkeypatch.setattr(SHOWN_AFTER, 0.0)
    client = world.add(OLD)
    world.run()
    put(world, {"email": OLD, "line": "L1"}, account["vip"])
    world.emulator.admin.settings(search_lag=600)
    world.edit(client, email=NEW)
    world.run()
    world.run()
    assert OLD in world.contacts()
    world.emulator.admin.advance(601)
    world.emulator.admin.settings(search_lag=0)
    world.run()
    world.run()
    assert set(world.contacts()) == {NEW}
    assert (others_of(world, NEW), lists_of(world, NEW)) == ({"line": "L1"}, {account["vip"]})


def test_B21_who_moves_on_before_all_went_along_takes_it_to_the_last_address(
    world: World, account: dict[str, str]
) -> None:
    """Old, new, newest: and back again, where it never left."""
    admin = world.emulator.admin
    client, back = world.add(OLD), world.add("back@example.com")
    world.run()
    put(world, {"email": OLD, "line": "L1"}, account["vip"])
    put(world, {"email": "back@example.com", "line": "L2"})
    world.edit(client, email=NEW)
    world.edit(back, email="there@example.com")
    admin.settings(deprecated_fields="refuse")
    world.run()
    admin.settings(deprecated_fields="store")
    world.edit(client, email="newest@example.com")
    world.edit(back, email="back@example.com")
    world.run()
    world.run()
    assert set(world.contacts()) == {"newest@example.com", "back@example.com"}
    assert others_of(world, "newest@example.com") == {"line": "L1"}
    assert lists_of(world, "newest@example.com") == {account["vip"]}
    assert others_of(world, "back@example.com") == {"line": "L2"}
    assert world.state("SELECT count(*) FROM contact_sync.move") == [(0,)]


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_B21_B02_half_a_swap_loses_nothing(
    world: World, account: dict[str, str], lane: str
) -> None:
    """SendGrid refuses one of two who swap: its notes are kept until it takes it."""
    world.redefine(lane=lane)
    ann, bob = world.add("a@example.com"), world.add("b@example.com")
    world.run()
    put(world, {"email": "a@example.com", "line": "Ann's"}, account["vip"])
    custom = {account["Notes"]: "Bob's"}
    put(world, {"email": "b@example.com", "custom_fields": custom}, account["news"])
    world.sql(
        "UPDATE b2core.clients SET email = CASE id WHEN %s THEN %s ELSE %s END",
        ann, "b@example.com", "a@example.com",
    )  # fmt: skip
    world.emulator.admin.settings(refused_emails={"a@example.com": "not today"})
    report = world.run()
    assert report["books"]["rejected"] == 1
    assert others_of(world, "b@example.com") == {"line": "Ann's"}
    assert [what for what in report["degraded"] if "doesn't show all" in what]
    world.emulator.admin.settings(refused_emails={})
    world.edit(bob, first_name="Bob")
    world.run()
    assert others_of(world, "a@example.com") == {"Notes": "Bob's"}
    assert lists_of(world, "a@example.com") == {account["news"]}
    assert others_of(world, "b@example.com") == {"line": "Ann's"}
    assert lists_of(world, "b@example.com") == {account["vip"]}
    assert world.state("SELECT count(*) FROM contact_sync.move") == [(0,)]
