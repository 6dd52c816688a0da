"""G5: whatever makes a run remove contacts counts before the limits, and a dry run shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import open_run
from contact_sync.run.start_run import start_run
from tests.support.consents import opt_out_column
from tests.support.steps import STEPS, go_on
from tests.support.world import World

FEW = {
    "removals": {"contacts": 2, "share": 0.0},
    "changes": {"contacts": 1_000, "share": 1.0},
}
SHARED = "UPDATE b2core.clients SET email = 'noreply@example.com'"


@pytest.fixture
def limited(world: World) -> World:
    """Six clients with a contact each, of which two may be removed without a question."""
    world.redefine(limits=FEW)
    for n in range(6):
        world.add(f"client{n}@example.com")
    world.run()
    return world


def test_G5_addresses_given_up_for_a_shared_one_count_as_removals(limited: World) -> None:
    """One wrong statement gives all clients one address: nobody's contact is deleted for that
    before a person has seen the number."""
    limited.sql(SHARED)
    calls = limited.writes()
    with pytest.raises(FatalError, match="6 contacts would be removed, the limit is 2"):
        limited.run()
    assert limited.writes() == calls
    assert limited.run(approve=True)["counts"]["removed"] == 6
    limited.assert_converged()


def test_G5_leaving_a_former_list_counts_as_removals(limited: World) -> None:
    """Another list in the definition, and `unlist` for the former one."""
    limited.list_id = limited.emulator.admin.create_list("The new one")
    limited.redefine(list="The new one", on_list_change="unlist")
    with pytest.raises(FatalError, match="6 contacts would be removed, the limit is 2"):
        limited.run()
    assert limited.run(approve=True)["counts"]["unlisted"] == 6
    limited.assert_converged()


def test_G5_small_removals_of_several_kinds_add_up(limited: World) -> None:
    """Two deleted clients and one that moved are three."""
    limited.sql("DELETE FROM b2core.clients WHERE id <= 2")
    limited.run()
    limited.sql("UPDATE b2core.clients SET email = 'moved@example.com' WHERE id = 3")
    with pytest.raises(FatalError, match="3 contacts would be removed, the limit is 2"):
        limited.run()


def test_G5_a_dry_run_says_what_would_be_removed_and_held(limited: World, tmp_path: Path) -> None:
    """The same number as the real run's plan, and that it would ask for approval."""
    limited.sql_folder = opt_out_column(limited.sql_folder, tmp_path / "b2core")
    limited.sql("UPDATE b2core.clients SET last_name = 'opted out' WHERE id <= 2")
    limited.sql("UPDATE b2core.clients SET email = 'client5@example.com' WHERE id = 3")
    limited.sql("UPDATE b2core.clients SET email = 'moved@example.com' WHERE id = 4")
    report = limited.run(dry_run=True)
    above = "4 contacts would be removed, the limit is 2"
    assert (report["counts"]["to_remove"], report["above_limits"]) == (4, [above])
    with pytest.raises(FatalError, match=above):
        limited.run()
    assert limited.report()["counts"]["to_remove"] == 4


def test_G5_removals_that_the_plan_did_not_name_are_refused(limited: World) -> None:
    """Whatever noted them since: above the limit, nothing is removed that nobody has seen."""
    limited.edit(1, first_name="Ana")
    with limited.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="exclude")
        limited.state(
            """INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id)
               SELECT sync_id, 'x' || n || '@example.com', n, 0
               FROM contact_sync.sync, generate_series(1, 3) AS n"""
        )
        with pytest.raises(
            FatalError, match="3 contacts would be removed or unsubscribed, but the plan named 0"
        ):
            STEPS["remove"](sync, open_run(sync, run_id))
