"""A contact is tried in vain only when SendGrid looked at it; doubt ends all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contact_sync.base.errors import SyncError
from contact_sync.run import cut_batches, in_one_process
from contact_sync.state.settling import ENOUGH_TRIES
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
CONTACTS = "/v3/marketing/contacts"
ROUNDS = ENOUGH_TRIES + 1


def fails_as_a_whole(world: World, lane: str) -> None:
    """`failed`, no row refused, whatever is sent."""
    del lane
    emails = [f"client{n}@example.com" for n in range(1, 13)]
    world.emulator.admin.settings(poison_emails=emails)


def is_forgotten(world: World, lane: str) -> None:
    """404 when SendGrid is asked for it, and nothing was done."""
    del lane
    world.forget_a_job()


def is_not_processed(world: World, lane: str) -> None:
    """`completed`, and no row was read."""
    world.emulator.admin.job_fault("drops_rows", job=lane, rows=1_000)


def counts_nothing(world: World, lane: str) -> None:
    """`completed`, without any number, and the search lags."""
    world.emulator.admin.settings(search_lag=3600)
    world.emulator.admin.job_fault("no_results", job=lane)


def counts_too_little(world: World, lane: str) -> None:
    """Most of the counts are missing, and the search lags."""
    world.emulator.admin.settings(search_lag=3600)
    world.emulator.admin.job_fault("short_counts", job=lane, rows=5)


def errors_do_not_add_up(world: World, lane: str) -> None:
    """Errors are counted and named nowhere, and the search lags."""
    del lane
    world.emulator.admin.settings(
        search_lag=3600, errors_url=False, refused_emails={"client2@example.com": "no"}
    )


def is_lost(world: World, lane: str) -> None:
    """The call gets no answer."""
    route = CONTACTS if lane == "json" else f"{CONTACTS}/imports"
    world.emulator.admin.fault("PUT", route, status=500)


SILENT = (fails_as_a_whole, is_forgotten, is_not_processed, counts_nothing, counts_too_little,
          errors_do_not_add_up, is_lost)  # fmt: skip


@LANES
@pytest.mark.parametrize("silent", SILENT, ids=lambda one: one.__name__)
def test_D16_what_tells_nothing_of_a_contact_is_no_try_of_it(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    silent: Callable[[World, str], None],
    lane: str,
) -> None:
    """However often it happens, one look afterwards rejects nobody, and the next run confirms."""
    monkeypatch.setattr(in_one_process, "MAX_SUBMITS", 1)
    monkeypatch.setattr(cut_batches, "MAX_APART", 1)  # their batches stay as they are
    world.redefine(lane=lane)
    emails = world.add_clients(12)
    for _round in range(ROUNDS):
        silent(world, lane)
        try:
            world.run()
        except SyncError:
            continue
        if "confirmed" in world.fates().values():
            world.sql("UPDATE b2core.clients SET first_name = first_name || 'x'")
    world.emulator.admin.settings(
        search_lag=3600, errors_url=True, refused_emails={}, poison_emails=[]
    )
    world.emulator.admin.job_fault("short_counts", job=lane, rows=1)
    world.run()
    assert not [fate for fate in world.fates().values() if fate.startswith("rejected")]
    world.emulator.admin.settings(search_lag=0)
    world.run()
    assert set(world.fates().values()) == {"confirmed"}
    assert set(world.contacts()) == set(emails)


@LANES
def test_D16_a_contact_that_jobs_skip_is_found_and_rejected_the_others_confirmed(
    world: World, lane: str
) -> None:
    """The counts leave no other place for it: it was looked at."""
    world.redefine(lane=lane)
    world.add_clients(4)
    for round_no in range(ENOUGH_TRIES):
        world.emulator.admin.job_fault("drops_rows", job=lane, rows=1)
        world.run()
        skipped = [client for client, fate in world.fates().items() if fate != "confirmed"]
        assert len(skipped) == 1
        world.sql("UPDATE b2core.clients SET first_name = %s WHERE id <> %s",
                  f"Round {round_no}", skipped[0])  # fmt: skip
        assert world.fates()[skipped[0]] in ("pending: not_applied",
                                             "rejected: contact: never_applied")  # fmt: skip
        if lane == "csv":  # the file has no order: another row may be the first
            break


@LANES
def test_D16_who_is_sent_in_vain_again_and_again_is_sent_alone(world: World, lane: str) -> None:
    """A job that has just one contact tells of it; the others needn't wait for it any more."""
    world.redefine(lane=lane)
    world.add_clients(6)
    for _round in range(ENOUGH_TRIES):
        is_forgotten(world, lane)
        world.run()
    assert set(world.fates().values()) == {"pending: job_unknown_to_sendgrid"}
    report = world.run()
    assert [job["rows"] for job in report["jobs"]] == [1] * 6
    assert set(world.fates().values()) == {"confirmed"}


def test_D16_many_that_are_sent_in_vain_are_cut_smaller_by_each_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bounded number of batches, until the one is found whose jobs are never served."""
    monkeypatch.setattr(cut_batches, "MAX_APART", 4)
    world.add_clients(16)
    for _round in range(ENOUGH_TRIES):
        is_forgotten(world, "json")
        world.run()
    assert [job["rows"] for job in world.run()["jobs"]] == [4, 4, 4, 4]
    assert set(world.fates().values()) == {"confirmed"}


def test_D16_D03_a_contact_whose_jobs_never_end_is_rejected_and_holds_nobody_up(
    world: World,
) -> None:
    """First with the others, then alone; they are confirmed as soon as it is apart from them."""
    world.redefine(deadlines={"job_hours": 0.0002, "quarantine_minutes": 0})
    world.add_clients(3)
    for _round in range(ENOUGH_TRIES):
        world.emulator.admin.job_fault("never_finishes", job="json")
        world.run()
    assert set(world.fates().values()) == {"pending: job_never_ended"}
    world.emulator.admin.job_fault("never_finishes", job="json")
    world.run()
    fates = world.fates()
    assert sorted(fates.values()) == ["confirmed", "confirmed", "pending: job_never_ended"]
    stuck = next(client for client, fate in fates.items() if fate != "confirmed")
    for _round in range(ENOUGH_TRIES - 1):
        assert world.fates()[stuck] == "pending: job_never_ended"
        world.emulator.admin.job_fault("never_finishes", job="json")
        world.run()
    assert world.fates()[stuck] == "rejected: contact: never_applied"


@LANES
def test_D16_other_content_is_tried_anew(world: World, lane: str) -> None:
    """Looks at an earlier content of the client don't count."""
    world.redefine(lane=lane)
    client = world.add("ann@example.com")
    for round_no in range(ENOUGH_TRIES + 2):
        world.emulator.admin.job_fault("drops_rows", job=lane)
        world.edit(client, first_name=f"Ann {round_no}")
        world.run()
        assert world.fates() == {client: "pending: not_applied"}


def test_D16_a_client_that_changes_after_its_rejection_has_all_its_tries_again(
    world: World,
) -> None:
    """As often as before."""
    client = world.add("ann@example.com")
    for name in ("Ann", "Anna"):
        world.edit(client, first_name=name)
        for _round in range(ENOUGH_TRIES):
            assert not world.fates().get(client, "").startswith("rejected") or name == "Anna"
            world.emulator.admin.job_fault("drops_rows", job="json")
            world.run()
        assert world.fates() == {client: "rejected: contact: never_applied"}
