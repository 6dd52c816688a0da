"""Removals when nobody is certain what SendGrid holds: searches that lag, jobs that say too little."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import World, opt_out_column

JOB = "/v3/marketing/contacts/imports/{job_id}"


@pytest.fixture
def consenting(world: World, tmp_path: Path) -> World:
    """A source whose exclusion column is filled for clients with the last name `opted out`."""
    world.sql_folder = opt_out_column(world.sql_folder, tmp_path / "b2core")
    return world


def test_F01_two_clients_that_may_hold_one_contact_are_both_excluded(consenting: World) -> None:
    """After a job of unknown fate two ledger rows name one address; it is removed once."""
    consenting.redefine(deadlines={"job_hours": 1.0, "quarantine_minutes": 0})
    ann, _ = consenting.add("ann@example.com"), consenting.add("bob@example.com")
    consenting.run()
    consenting.edit(ann, email="broken")
    newcomer = consenting.add("ann@example.com")
    consenting.emulator.admin.fault("GET", JOB, status=404)
    assert consenting.run()["books"]["pending"] == 1
    consenting.sql(
        "UPDATE b2core.clients SET last_name = 'opted out' WHERE id = ANY(%s)", [ann, newcomer]
    )
    assert consenting.run()["counts"]["unlisted"] == 1
    consenting.assert_converged(unlisted={"ann@example.com"}, excluded={ann, newcomer})
