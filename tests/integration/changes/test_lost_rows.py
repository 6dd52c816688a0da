"""A06, A07, A27: rows that are gone leave nothing behind; whose they were is found all the same."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contact_sync.base.errors import FatalError
from contact_sync.run import in_one_process
from tests.integration.changes.test_source_looks import look
from tests.support.world import World


def fails(*_: Any) -> None:
    """A run's last step."""
    raise FatalError("a test's")


@pytest.mark.parametrize("owner", [2, None], ids=["another client", "nobody"])
def test_A27_whose_row_became_anothers_is_found_by_the_next_run(
    own_tables: World, owner: int | None
) -> None:
    """As when clients are put together: what is new tells of the other one only."""
    world = own_tables
    world.sql("ALTER TABLE b2core.client_phones ALTER client_id DROP NOT NULL")
    world.run()
    world.sql("UPDATE b2core.client_phones SET client_id = %s WHERE client_id = 1", owner)
    assert look(world.run()) == ("changes", "counts")
    world.assert_converged()
    world.sql("UPDATE b2core.client_addresses SET client_id = 5 WHERE client_id = 2")
    assert look(world.run()) == ("changes", "counts")
    world.assert_converged()
    assert "city" not in world.contact("client2@example.com")


@pytest.mark.parametrize("runs", [0, 1], ids=["at once", "after a run that failed"])
def test_A06_A24_a_row_deleted_after_a_first_load_makes_the_next_run_full(
    world: World, monkeypatch: pytest.MonkeyPatch, runs: int
) -> None:
    """Nothing was counted yet that tells whose it was; the run after it is an ordinary one."""
    world.seed()
    world.run()
    for _ in range(runs):
        with monkeypatch.context() as patch:
            patch.setattr(in_one_process, "finish_run", fails)
            with pytest.raises(FatalError):
                world.run()
    world.sql("DELETE FROM b2core.client_phones WHERE client_id = 1")
    report = world.run()
    assert (report["kind"], report["kind_reason"]) == ("full", "rows_deleted")
    world.assert_converged()
    world.sql("DELETE FROM b2core.client_phones WHERE client_id = 2")
    assert world.run()["kind"] == "incremental"
    world.assert_converged()


@pytest.mark.parametrize(
    "reset",
    ["pg_stat_reset()", "pg_stat_reset_single_table_counters('b2core.client_phones'::regclass)"],
    ids=["all", "the table"],
)
def test_A06_A25_a_reset_hides_no_deleted_row(own_tables: World, reset: str) -> None:
    """The count of it is gone, and as high as before."""
    own_tables.run()
    own_tables.sql("DELETE FROM b2core.client_phones WHERE client_id = 1")
    own_tables.sql(f"SELECT {reset}")
    assert own_tables.run()["counts"]["sent"] == 1
    own_tables.assert_converged()


def test_A06_A25_a_deletion_counted_late_after_a_first_load_loses_nothing(
    own_tables: World,
) -> None:
    """Its session is in its next transaction when the first count of rows is made, without it."""
    with psycopg.connect(own_tables.b2core_url, autocommit=True) as busy:
        busy.execute(
            "DELETE FROM b2core.client_phones WHERE client_id = 1; COMMIT; BEGIN; SELECT 1"
        )
        assert own_tables.run()["counts"]["sent"] == 0
        busy.execute("COMMIT")
    deleted = "SELECT pg_stat_get_tuples_deleted('b2core.client_phones'::regclass)"
    while own_tables.sql(deleted) == [(0,)]:
        time.sleep(0.05)
    assert own_tables.run()["kind_reason"] == "rows_deleted"
    own_tables.assert_converged()


def test_A07_A24_a_deleted_value_that_clients_show_makes_the_run_full(own_tables: World) -> None:
    """No foreign key keeps it, and nothing tells who has shown it."""
    world = own_tables
    world.sql(
        "ALTER TABLE b2core.client_addresses DROP CONSTRAINT client_addresses_country_id_fkey"
    )
    world.sql("UPDATE b2core.client_addresses SET country_id = 1 WHERE client_id = 1")
    world.run()
    world.run()
    assert "country" in world.contact("client1@example.com")
    world.sql("DELETE FROM b2core.countries WHERE id = 1")
    assert world.run()["kind_reason"] == "rows_deleted"
    world.assert_converged()
    world.sql("DELETE FROM b2core.client_phones WHERE client_id = 1")
    assert world.run()["kind"] == "incremental"
    world.assert_converged()


def test_A07_A24_so_does_one_of_a_source_whose_rows_are_not_counted(
    own_tables: World, tmp_path: Path
) -> None:
    """It has nothing but clients."""
    world = own_tables
    world.sql_folder = shutil.copytree(world.sql_folder, tmp_path / "b2core")
    path = world.sql_folder / "changed_xmin.sql"
    path.write_text(path.read_text("utf-8").split("\nUNION ALL\n")[0], encoding="utf-8")
    world.sql("ALTER TABLE b2core.clients DROP CONSTRAINT clients_status_id_fkey")
    for _ in range(2):
        world.run()
    world.sql("DELETE FROM b2core.client_statuses WHERE id = 1")
    assert world.run()["kind_reason"] == "rows_deleted"
    world.assert_converged()


def test_A06_A24_a_row_that_a_refreshed_materialized_view_lacks_is_found(
    own_tables: World, tmp_path: Path
) -> None:
    """Nothing counts it as deleted there: the view has another file."""
    world = own_tables
    world.sql("CREATE MATERIALIZED VIEW b2core.numbers AS SELECT * FROM b2core.client_phones")
    world.sql("GRANT SELECT ON b2core.numbers TO contact_sync_reader")
    world.sql_folder = shutil.copytree(world.sql_folder, tmp_path / "b2core")
    for name in ("clients.sql", "changed_xmin.sql"):
        path = world.sql_folder / name
        text = re.sub(r"b2core\.client_phones\b", "b2core.numbers", path.read_text("utf-8"))
        path.write_text(text, encoding="utf-8")
    world.run()
    world.sql("DELETE FROM b2core.client_phones WHERE client_id = 1")
    world.sql("REFRESH MATERIALIZED VIEW b2core.numbers")
    assert world.run()["kind"] == "incremental"
    world.assert_converged()
