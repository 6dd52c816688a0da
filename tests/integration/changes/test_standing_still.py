"""A26: where neither rows nor catalogs have changed, a run asks B2CORE one question; whatever makes
a statement mean something else, or refuses it, has it asked as ever."""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.b2core.reader import B2Core
from contact_sync.base.errors import ConfigError, SyncError
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.check_setup import check_setup
from contact_sync.run.context import open_run
from contact_sync.run.select_clients import select_clients
from contact_sync.run.start_run import start_run
from tests.support.world import World


@pytest.fixture
def snapshots(monkeypatch: pytest.MonkeyPatch) -> list[B2Core]:
    """One entry for each snapshot of B2CORE that is opened."""
    opened: list[B2Core] = []
    real = B2Core.snapshot

    def snapshot(self: B2Core, **options: Any) -> Any:
        opened.append(self)
        return real(self, **options)

    monkeypatch.setattr(B2Core, "snapshot", snapshot)
    return opened


def looks(world: World, snapshots: list[B2Core]) -> tuple[str, bool]:
    """How much of B2CORE a run reads, and whether it opens a snapshot."""
    snapshots.clear()
    report = world.run()
    assert report["state"] == "succeeded"
    return report["look"], bool(snapshots)


def stood_still(world: World, snapshots: list[B2Core]) -> None:
    """A run before knows what stands still, and a full one has counted rows."""
    world.run("full")
    assert looks(world, snapshots) == ("whole", True)
    assert looks(world, snapshots) == ("nothing", False)


def test_A26_a_source_that_stands_still_is_asked_one_question(
    own_tables: World, snapshots: list[B2Core]
) -> None:
    """Its result is that of a run that asks all; a row, and a client who waits, have it read."""
    world = own_tables
    stood_still(world, snapshots)
    books = world.report()["books"]
    world.edit(1, first_name="Ana")
    assert looks(world, snapshots) == ("changes", True)
    assert looks(world, snapshots) == ("nothing", False)
    assert world.report()["books"] == books
    world.sql("DELETE FROM b2core.clients WHERE id = 2")
    assert looks(world, snapshots) == ("whole", True)
    assert looks(world, snapshots) == ("nothing", True)
    assert looks(world, snapshots) == ("nothing", False)
    world.redefine(default_country="DE")
    assert looks(world, snapshots)[1]
    world.assert_converged(unlisted={"client2@example.com"})


WRITTEN = (
    "CREATE FUNCTION b2core.lower(text) RETURNS text LANGUAGE sql RETURN $1",
    "ALTER TABLE b2core.countries RENAME TO nations; "
    "CREATE TABLE b2core.countries AS TABLE b2core.nations; "
    "GRANT SELECT ON b2core.countries TO contact_sync_reader",
)
"""A function, and a table, that a statement may mean from now on."""
REFUSED = {
    "ALTER TABLE b2core.client_addresses RENAME COLUMN city TO town":
        "ALTER TABLE b2core.client_addresses RENAME COLUMN town TO city",
    "REVOKE SELECT ON b2core.countries FROM contact_sync_reader":
        "GRANT SELECT ON b2core.countries TO contact_sync_reader",
}  # fmt: skip
"""What takes something away, and what gives it back."""


def test_A26_what_statements_mean_is_asked_again_when_a_catalog_was_written(
    own_tables: World, snapshots: list[B2Core]
) -> None:
    """Once; what no statement means any more, or may read, is told before a client is read."""
    world = own_tables
    stood_still(world, snapshots)
    for statement in WRITTEN:
        world.sql(statement)
        asked = [looks(world, snapshots) for _ in range(3)]
        assert (asked[0][1], asked[-1]) == (True, ("nothing", False))
    for taken, given in REFUSED.items():
        world.sql(taken)
        with pytest.raises(SyncError, match=r"can't run; nothing was read or sent"):
            world.run()
        world.sql(given)
        world.run()


def test_A26_what_moves_between_the_check_and_the_selection_is_checked_then(
    own_tables: World, snapshots: list[B2Core]
) -> None:
    """The mapping was taken for the one before; no client is read by it."""
    world = own_tables
    stood_still(world, snapshots)
    snapshots.clear()
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        check_setup(sync, open_run(sync, run_id))
        assert not snapshots
        world.sql("ALTER TABLE b2core.client_addresses RENAME COLUMN city TO town")
        with pytest.raises(ConfigError, match=r"city does not exist"):
            select_clients(sync, open_run(sync, run_id))
