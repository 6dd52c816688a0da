"""A run's numbers add up, and are those of the ledger and of SendGrid, however its jobs end."""

from __future__ import annotations

from contextlib import suppress

import pytest

from contact_sync.base.errors import SyncError
from tests.support.true_numbers import assert_true_numbers
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])


@LANES
def test_good_and_bad_rows_of_a_job_are_told_apart(world: World, lane: str) -> None:
    """Not all rows of a job that was carried out."""
    world.redefine(lane=lane)
    emails = world.add_clients(20)
    world.refuse_rows(*emails[:3])
    world.run()
    found = world.run_report().sending
    assert found.in_words == "20 to send = 17 confirmed + 3 rejected by SendGrid + 0 pending"
    assert (found.created, found.errored) == (17, 3)
    assert_true_numbers(world)


def test_addresses_that_a_call_names_are_rejected_by_sendgrid(world: World) -> None:
    """Before there is a job."""
    emails = world.add_clients(5)
    world.refuse(*emails[:2])
    world.run()
    assert world.run_report().sending.in_words == (
        "5 to send = 3 confirmed + 2 rejected by SendGrid + 0 pending"
    )
    assert_true_numbers(world)


def test_contacts_in_many_failed_jobs_count_once(world: World) -> None:
    """Of a run that failed; the next one sends them all."""
    emails = world.add_clients(12)
    world.emulator.admin.settings(poison_emails=emails)
    with suppress(SyncError):
        world.run()
    assert world.run_report().sending.in_words == (
        "12 to send = 0 confirmed + 0 rejected by SendGrid + 12 pending"
    )
    assert_true_numbers(world)
    world.emulator.admin.settings(poison_emails=emails[:2])
    report = world.run()
    assert (report["counts"]["new"], report["counts"]["changed"]) == (12, 0)
    assert world.run_report().sending.in_words == (
        "12 to send = 10 confirmed + 2 rejected by SendGrid + 0 pending"
    )
    assert_true_numbers(world)
