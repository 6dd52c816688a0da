"""A24, A25: a run reads what PostgreSQL's counts say was written, and chooses whom one chooses that
reads everything; where counts prove nothing, everything is read, and the run says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contact_sync.b2core.reader import Snapshot
from contact_sync.run import affected_clients, decide_look
from contact_sync.state import address_index
from local.postgres.server import Cluster
from tests.support.consents import opt_out_column
from tests.support.look_histories import histories
from tests.support.world import World


def look(report: dict[str, Any]) -> tuple[str, str]:
    """How much of B2CORE a run has read, and why."""
    assert (report["state"], report["kind"]) == ("succeeded", "incremental")
    return report["look"], report["look_why"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is read of B2CORE, besides single clients."""
    found: list[str] = []
    scan, changed, whole = Snapshot.scan, Snapshot.changed_in_part, Snapshot.changed_since_xid

    def noted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Snapshot, *asked: Any) -> Any:
            found.append(f"{name} {asked[0] if len(asked) == 2 else ''}".strip())
            return real(self, *asked)

        return method

    monkeypatch.setattr(Snapshot, "scan", noted("scan", scan))
    monkeypatch.setattr(Snapshot, "changed_in_part", noted("part", changed))
    monkeypatch.setattr(Snapshot, "changed_since_xid", noted("changed", whole))
    return found


def settled(world: World) -> None:
    """After a full run, which counts rows, the first incremental one reads everything."""
    world.run()
    world.run("full")
    assert look(world.run()) == ("whole", "run_before")


CHILDREN = ["part changed 1", "part changed 2"]
"""Phones and addresses."""


def test_A24_only_what_was_written_is_read(world: World, read: list[str]) -> None:
    """Nothing at all if nothing was; a table that stood still isn't scanned for another's sake, but
    where a phone or an address may have gone to another client: their rows are counted together.
    """
    world.seed()
    settled(world)
    books = world.report()["books"]
    read.clear()
    report = world.run()
    assert (look(report), read, report["books"]) == (("nothing", "counts"), [], books)
    world.sql("UPDATE b2core.client_phones SET phone = '+41791112233' WHERE client_id = 2")
    report = world.run()
    assert (look(report), read) == (("changes", "counts"), CHILDREN)
    assert (report["counts"]["sent"], report["books"]) == (1, books)
    world.add("newcomer@example.com")
    world.sql("UPDATE b2core.client_addresses SET city = 'Bern' WHERE client_id = 1")
    read.clear()
    report = world.run()
    assert read == [*CHILDREN, "part changed 0"]
    assert report["books"]["selected"] == books["selected"] + 1
    world.assert_converged()


def test_A24_who_shared_an_address_is_looked_at_too(world: World) -> None:
    """Although nothing of the one that stays has changed."""
    world.seed()
    settled(world)
    world.edit(4, email="own@example.com")
    report = world.run()
    assert (look(report), report["counts"]["sent"]) == (("changes", "counts"), 2)
    world.assert_converged()


def test_A24_the_index_of_addresses_is_made_when_the_ledger_is_filled(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By the first run, or the next one if another sync writes just then."""
    monkeypatch.setitem(address_index.SQL, "wait_briefly", "SET LOCAL lock_timeout = '50ms'")
    world.seed()
    is_there = "SELECT to_regclass('contact_sync.ledger_address') IS NOT NULL"
    with psycopg.connect(world.state_url) as other:
        other.execute("LOCK TABLE contact_sync.ledger IN ROW EXCLUSIVE MODE")
        world.run()
    assert "The index of addresses can't be made now" in caplog.text
    assert world.state(is_there) == [(False,)]
    world.run()
    assert world.state(is_there) == [(True,)]
    assert look(world.run()) == ("nothing", "counts")
    world.assert_converged()


@pytest.mark.parametrize("table", ["client_phones", "client_addresses"])
def test_A06_A24_whose_row_was_deleted_is_found_by_the_next_run(world: World, table: str) -> None:
    """It leaves nothing behind but a count; also one that has come since the rows were counted."""
    world.seed()
    settled(world)
    world.sql(f"DELETE FROM b2core.{table} WHERE client_id = 1")
    report = world.run()
    assert (look(report)[0], report["counts"].get("cleared"), report["counts"]["sent"]) == (
        "changes", 1, 1,
    )  # fmt: skip
    world.assert_converged()
    world.sql("INSERT INTO b2core.client_phones (client_id, phone) VALUES (1, '+41791112233')")
    assert world.run()["counts"]["sent"] == 1
    world.sql("DELETE FROM b2core.client_phones WHERE phone = '+41791112233'")
    assert world.run()["counts"]["sent"] == 1
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


def test_A24_a_client_that_vanished_is_looked_for_in_each_run(world: World) -> None:
    """Its row is missed by a run that reads everything, and once more by one that reads nothing."""
    world.seed()
    settled(world)
    world.sql("DELETE FROM b2core.clients WHERE id = 2")
    report = world.run()
    assert (look(report), report["books"]["gone"]) == (("whole", "deleted"), 1)
    report = world.run()
    assert (look(report), report["books"]["gone"]) == (("nothing", "counts"), 0)
    world.assert_converged(unlisted={"client2@example.com"})


WHOLE_FOR = {
    "deleted": "DELETE FROM b2core.clients WHERE id = 6",
    "reset": "SELECT pg_stat_reset()",
    "no_privilege": "REVOKE EXECUTE ON FUNCTION pg_stat_get_tuples_updated FROM PUBLIC",
    "nothing_kept": "GRANT EXECUTE ON FUNCTION pg_stat_get_tuples_updated TO PUBLIC",
}


def test_A25_where_counts_prove_nothing_everything_is_read(
    own_tables: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before there were counts; the run says why, and the next one trusts them again."""
    world = own_tables
    world.run("full")
    assert look(world.run()) == ("whole", "run_before")
    for why, statement in WHOLE_FOR.items():
        world.sql(statement)
        assert look(world.run()) == ("whole", "no_privilege" if why == "nothing_kept" else why)
        if why != "no_privilege":
            assert look(world.run()) == ("nothing", "counts")
    monkeypatch.setattr(decide_look, "WHOLE_AFTER_MINUTES", -1)
    assert look(world.run()) == ("whole", "long_ago")
    monkeypatch.undo()
    world.edit(1, first_name="Ana")
    monkeypatch.setattr(affected_clients, "MANY", 0)
    assert look(world.run()) == ("whole", "many")
    assert look(world.run(retry_rejected=True)) == ("whole", "rejected_again")
    world.assert_converged()


def test_A25_a_role_that_isnt_counted(own_tables: World, cluster: Cluster) -> None:
    """Its writes move nothing."""
    assert look(own_tables.run()) == ("whole", "run_before")
    assert look(own_tables.run()) == ("nothing", "counts")
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute("ALTER ROLE contact_sync_reader SET track_counts = off")
        try:
            assert look(own_tables.run()) == ("whole", "not_counted")
        finally:
            connection.execute("ALTER ROLE contact_sync_reader RESET track_counts")


OF_TWO_TABLES = """CASE WHEN EXISTS (
    SELECT FROM b2core.client_phones AS p WHERE p.client_id = clients.id AND p.phone = 'none'
) THEN 'no phone' END AS exclusion"""
BY_THE_CLOCK = "CASE WHEN clients.created_at > now() THEN 'to come' END AS exclusion"
BY_A_WORD = BY_THE_CLOCK.replace("now()", "timestamptz 'tomorrow 9:00'")


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("scan", "NULL::text AS exclusion", BY_THE_CLOCK, "functions"),
        ("scan", "NULL::text AS exclusion", BY_A_WORD, "functions"),
        ("scan", "NULL::text AS exclusion", OF_TWO_TABLES, "not_covered"),
        ("changed_xmin", "FROM b2core.clients AS clients\nWHERE",
         "FROM b2core.clients AS clients\nWHERE clients.status_id = 1 AND", "not_covered"),
    ],
    ids=["the clock", "a word for a time", "two tables", "some rows"],
)  # fmt: skip
def test_A25_statements_of_which_counts_dont_tell_enough(
    own_sql: World, name: str, old: str, new: str, why: str
) -> None:
    """What a statement answers is trusted to stand still only if it is made of tables alone, and
    every changed row is told."""
    world = own_sql
    for file in {name, "clients"} if name == "scan" else {name}:
        path = world.sql_folder / f"{file}.sql"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    world.seed()
    world.run()
    world.run()
    assert look(world.run()) == ("whole" if why == "functions" else "nothing",
                                 why if why == "functions" else "counts")  # fmt: skip
    world.edit(1, first_name="Ana")
    world.sql("UPDATE b2core.client_phones SET phone = 'none' WHERE client_id = 2")
    assert look(world.run()) == ("whole", why)


@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(
    "n", [pytest.param(8, id="some"), pytest.param(2_000, id="many", marks=pytest.mark.slow)]
)
def test_A24_A25_the_short_way_and_the_long_way_choose_the_same_clients(
    own_tables: World, tmp_path: Path, n: int
) -> None:
    """In random histories with shared addresses, exclusions, absences, reloads and swapped tables,
    transactions that commit late and counts that come late."""
    own_tables.sql_folder = opt_out_column(own_tables.sql_folder, tmp_path / "b2core")
    with histories(own_tables, seed=n) as found:
        for _ in range(n):
            found.history()
    assert found.compared > n
    assert {"changes counts", "nothing counts"} <= set(found.looks)
