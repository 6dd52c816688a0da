"""B2CORE's tables are emptied, reloaded, rewritten or made again while a run reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contact_sync.b2core.reader import Snapshot
from contact_sync.base.errors import RetryableError
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("no_pause")

RELOAD = """
CREATE TEMP TABLE kept AS SELECT * FROM b2core.client_phones;
TRUNCATE b2core.client_phones;
INSERT INTO b2core.client_phones OVERRIDING SYSTEM VALUE SELECT * FROM kept;
DROP TABLE kept
"""
AGAIN = """
CREATE TABLE b2core.phones_made_again (LIKE b2core.client_phones INCLUDING ALL);
INSERT INTO b2core.phones_made_again OVERRIDING SYSTEM VALUE SELECT * FROM b2core.client_phones;
ALTER TABLE b2core.client_phones RENAME TO phones_before;
ALTER TABLE b2core.phones_made_again RENAME TO client_phones;
GRANT SELECT ON b2core.client_phones TO contact_sync_reader
"""
BACK = """
DROP TABLE b2core.client_phones;
ALTER TABLE b2core.phones_before RENAME TO client_phones
"""


def before_reading(
    monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any], *, times: int
) -> None:
    """Let something happen after the snapshot was taken and before the clients are read."""
    real, left = Snapshot.clients, list(range(times))

    def clients(self: Snapshot, *arguments: Any) -> Iterator[Any]:
        self.position()  # takes the snapshot
        if left:
            left.pop()
            happens()
        return real(self, *arguments)

    monkeypatch.setattr(Snapshot, "clients", clients)


@pytest.mark.parametrize("change", [RELOAD, AGAIN], ids=["reloaded", "made again"])
def test_R03_a_table_replaced_while_it_is_read_is_read_again(
    world: World, change: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """To the snapshot it looks empty: no phone is cleared for that."""
    world.add("ann@example.com", phone="+41791234567")
    world.run()
    assert world.contact("ann@example.com").get("phone_number") == "+41791234567"
    before_reading(monkeypatch, lambda: world.sql(change), times=1)
    try:
        world.run("full")
    finally:
        if change == AGAIN:
            world.sql(BACK)
    assert world.contact("ann@example.com").get("phone_number") == "+41791234567"
    assert '"b2core"."client_phones" was emptied or replaced' in caplog.text


def test_R03_a_table_that_is_always_replaced_ends_the_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three tries, before anything is sent."""
    world.add("ann@example.com", phone="+41791234567")
    world.run()
    before_reading(monkeypatch, lambda: world.sql(RELOAD), times=99)
    sent = world.sent()
    with pytest.raises(RetryableError, match="was emptied or replaced while it was read"):
        world.run("full")
    assert world.sent() == sent


def test_R03_a_table_rewritten_between_two_runs_is_nothing_new(world: World) -> None:
    """As VACUUM FULL and CLUSTER do."""
    world.add("ann@example.com", phone="+41791234567")
    world.run()
    world.sql("CLUSTER b2core.client_phones USING client_phones_pkey")
    assert world.run("full")["counts"]["sent"] == 0
    world.assert_converged()


TOWNS = "CREATE TYPE b2core.town AS ENUM ('Zürich', 'Bern')"
OTHER_COLUMNS = {
    "two change their names": ("", """
        ALTER TABLE b2core.clients RENAME first_name TO other;
        ALTER TABLE b2core.clients RENAME last_name TO first_name;
        ALTER TABLE b2core.clients RENAME other TO last_name"""),
    "made again with a default": ("", """
        ALTER TABLE b2core.clients DROP last_name, ADD last_name text DEFAULT 'New';
        GRANT SELECT (last_name) ON b2core.clients TO contact_sync_reader"""),
    "a label of its enum": (f"""
        {TOWNS}; ALTER TABLE b2core.client_addresses ALTER city TYPE b2core.town USING 'Bern'""",
        "ALTER TYPE b2core.town RENAME VALUE 'Bern' TO 'Basel'"),
    "computed otherwise": ("""
        ALTER TABLE b2core.clients RENAME first_name TO given_name;
        ALTER TABLE b2core.clients ADD first_name text GENERATED ALWAYS AS (given_name) VIRTUAL;
        GRANT SELECT (first_name) ON b2core.clients TO contact_sync_reader""", """
        ALTER TABLE b2core.clients ALTER first_name SET EXPRESSION AS ('Dr ' || given_name)"""),
}  # fmt: skip
"""What makes a column ready, and what gives it other values without writing a row."""


@pytest.mark.parametrize("happens", OTHER_COLUMNS)
def test_R07_a_column_with_other_values_in_rows_that_nobody_wrote_makes_the_run_full(
    own_tables: World, happens: str
) -> None:
    """Neither xmin nor a count tells of them."""
    world, (ready, becomes) = own_tables, OTHER_COLUMNS[happens]
    if ready:
        world.sql(ready)
        world.run()
    world.sql(becomes)
    report = world.run()
    assert (report["kind_reason"], report["counts"]["sent"]) == ("tables_replaced", 4)
    world.assert_converged()


def test_R07_a_column_that_no_statement_names_is_nothing_new(own_tables: World) -> None:
    """Other applications have theirs."""
    own_tables.sql("ALTER TABLE b2core.clients ADD other text DEFAULT 'New'")
    assert own_tables.run()["kind"] == "incremental"
