"""B2CORE's phones in tables of other kinds: swapped, attached, refreshed or rewritten while a run
reads them, or between two runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.changes.test_replaced_tables import before_reading
from tests.support.connections import close_all, connection
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("no_pause")

PHONES, ROLE = "b2core.client_phones", "contact_sync_reader"
COPY = f"""CREATE TABLE b2core.{{0}} (LIKE {PHONES});
    INSERT INTO b2core.{{0}} SELECT * FROM {PHONES}"""
GRANT = f"GRANT SELECT ON ALL TABLES IN SCHEMA b2core TO {ROLE}"
HIDDEN = f"CREATE SCHEMA hidden; CREATE TABLE hidden.phones AS SELECT * FROM {PHONES}"

SET_UP = {
    "a table": COPY.format("source"),
    "a view": f"{COPY.format('below')}; CREATE VIEW b2core.source AS SELECT * FROM b2core.below",
    "a view on hidden tables": f"""{HIDDEN};
        CREATE VIEW b2core.source AS SELECT * FROM hidden.phones""",
    "a view on a view": f"""{HIDDEN}; CREATE VIEW hidden.inner AS SELECT * FROM hidden.phones;
        CREATE VIEW b2core.source AS SELECT * FROM hidden.inner""",
    "a materialized view": f"""{COPY.format('below')};
        CREATE MATERIALIZED VIEW b2core.source AS SELECT * FROM b2core.below""",
    "partitions": f"""
        CREATE TABLE b2core.source (LIKE {PHONES}) PARTITION BY RANGE (client_id);
        CREATE TABLE b2core.part PARTITION OF b2core.source FOR VALUES FROM (1) TO (1000);
        INSERT INTO b2core.source SELECT * FROM {PHONES}""",
}  # fmt: skip
"""What the statements read as `b2core.source` in place of the phones' table."""


def emptied(table: str) -> str:
    """Rows are gone and there again, in one transaction."""
    return f"""CREATE TEMP TABLE kept AS SELECT * FROM {table}; TRUNCATE {table};
               INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept"""


SWAPPED = f"""ALTER TABLE b2core.source RENAME TO before; {COPY.format('source')};
    DROP TABLE b2core.before; {GRANT}"""  # fmt: skip
ATTACHED = f"""ALTER TABLE b2core.source DETACH PARTITION b2core.part;
    CREATE TABLE b2core.part2 (LIKE b2core.part);
    INSERT INTO b2core.part2 SELECT * FROM b2core.part; DROP TABLE b2core.part;
    ALTER TABLE b2core.source ATTACH PARTITION b2core.part2 FOR VALUES FROM (1) TO (1000);
    {GRANT}"""
VIEW_AGAIN = f"""DROP VIEW b2core.source; CREATE VIEW b2core.source AS SELECT * FROM {PHONES};
    {GRANT}"""  # fmt: skip

BELOW = ("a view on hidden tables", emptied("hidden.phones"))
IN_MID_RUN = [
    ("a table", emptied("b2core.source")),
    ("a table", SWAPPED),
    ("a table", "ALTER TABLE b2core.source SET UNLOGGED"),
    ("a table", "ALTER TABLE b2core.source ALTER client_id TYPE numeric"),
    ("a table", "ALTER TABLE b2core.source ADD COLUMN id2 uuid DEFAULT gen_random_uuid()"),
    ("a view", emptied("b2core.below")),
    ("a view", f"CREATE OR REPLACE VIEW b2core.source AS SELECT * FROM {PHONES}"),
    ("a view", VIEW_AGAIN),
    BELOW,
    ("a view on a view", emptied("hidden.phones")),
    ("a materialized view", "REFRESH MATERIALIZED VIEW b2core.source"),
    ("partitions", emptied("b2core.part")),
    ("partitions", emptied("b2core.source")),
    ("partitions", ATTACHED),
]
HARMLESS = [
    ("a table", f"""BEGIN; DELETE FROM b2core.source;
        INSERT INTO b2core.source SELECT * FROM {PHONES}; COMMIT"""),
    ("a table", "VACUUM ANALYZE b2core.source"),
    ("a table", "CREATE INDEX ON b2core.source (client_id)"),
    ("a view on hidden tables", "CREATE TABLE hidden.other ()"),
]  # fmt: skip
BETWEEN_RUNS = [
    ("a table", f"""ALTER TABLE b2core.source RENAME TO before;
        ALTER TABLE b2core.ready RENAME TO source; {GRANT}"""),
    ("a view", "CREATE OR REPLACE VIEW b2core.source AS SELECT * FROM b2core.ready"),
    ("a view on hidden tables",
     "CREATE OR REPLACE VIEW b2core.source AS SELECT * FROM b2core.ready"),
    ("partitions", f"""ALTER TABLE b2core.source DETACH PARTITION b2core.part;
        ALTER TABLE b2core.source ATTACH PARTITION b2core.ready FOR VALUES FROM (1) TO (1000);
        {GRANT}"""),
]  # fmt: skip


def of_kind(world: World, kind: str, folder: Path) -> None:
    """The phones are read from a table of this kind; changes are found by `updated_at`."""
    for statement in [*SET_UP[kind].split(";"), GRANT]:
        world.sql(statement)
    world.sql_folder = shutil.copytree(world.sql_folder, folder / "b2core")
    for name in ("clients.sql", "changed_xmin.sql", "changed_updated_at.sql"):
        path = world.sql_folder / name
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"b2core\.client_phones\b", "b2core.source", text), encoding="utf-8")
    world.redefine(source={"change_detection": "updated_at"})
    world.run("full")
    assert world.contact("client1@example.com")["phone_number"] == "+41790000001"


def does(world: World, statements: str) -> None:
    """One transaction, or what can be in none as it is."""
    if statements.startswith("VACUUM"):
        with connection(world.b2core_url) as one:
            one.autocommit = True
            one.execute(statements)
            one.autocommit = False
    else:
        world.sql(statements)


@pytest.fixture
def altered(own_tables: World) -> Iterator[World]:
    """Tables may be made and altered; connections end with the database."""
    yield own_tables
    close_all()


@pytest.mark.parametrize(("kind", "happens"), IN_MID_RUN)
def test_R03_whatever_replaces_rows_while_they_are_read_is_noticed(
    altered: World, kind: str, happens: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Below views, in partitions, in schemas that the reader may not use."""
    of_kind(altered, kind, tmp_path)
    before = altered.contacts()
    before_reading(monkeypatch, lambda: does(altered, happens), times=1)
    altered.run("full")
    assert '"b2core"."source" was emptied or replaced while it was read' in caplog.text
    assert altered.contacts() == before


@pytest.mark.parametrize(("kind", "happens"), HARMLESS)
def test_R03_what_a_snapshot_stands_is_no_reason_to_read_again(
    altered: World, kind: str, happens: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """A reload by DELETE is one: its readers see the old rows or the new ones."""
    of_kind(altered, kind, tmp_path)
    before = altered.contacts()
    before_reading(monkeypatch, lambda: does(altered, happens), times=1)
    altered.run("full")
    assert "was emptied or replaced" not in caplog.text
    assert altered.contacts() == before


@pytest.mark.parametrize(("kind", "happens"), BETWEEN_RUNS)
def test_R07_rows_that_were_written_long_ago_and_appear_now_are_read(
    altered: World, kind: str, happens: str, tmp_path: Path
) -> None:
    """Neither xmin nor updated_at tells of them: another table has the name now."""
    altered.sql(COPY.format("ready"))
    altered.sql("UPDATE b2core.ready SET phone = '+41791234567' WHERE client_id = 1")
    of_kind(altered, kind, tmp_path)
    altered.sql(happens)
    report = altered.run()
    assert (report["kind"], report["kind_reason"]) == ("full", "tables_replaced")
    assert report["kind_detail"] == '"b2core"."source"'
    assert altered.contact("client1@example.com")["phone_number"] == "+41791234567"
    assert altered.run()["kind"] == "incremental"


def test_R07_a_table_emptied_between_two_runs_makes_the_run_full(own_tables: World) -> None:
    """Rows that are gone leave no xmin behind: the values don't stay until the night."""
    own_tables.sql("TRUNCATE b2core.client_phones")
    report = own_tables.run()
    assert (report["kind"], report["kind_reason"]) == ("full", "tables_replaced")
    own_tables.assert_converged()
    assert "phone_number" not in own_tables.contact("client1@example.com")


def test_R07_a_refreshed_materialized_view_is_the_same(altered: World, tmp_path: Path) -> None:
    """It is refreshed every hour or so: that is its life."""
    of_kind(altered, "a materialized view", tmp_path)
    altered.sql("REFRESH MATERIALIZED VIEW b2core.source")
    assert altered.run()["kind"] == "incremental"


def test_R07_other_tables_may_come_and_go(altered: World, tmp_path: Path) -> None:
    """Only what the statements name, and what is below that."""
    of_kind(altered, "a view", tmp_path)
    altered.sql("CREATE TABLE b2core.other (id int); TRUNCATE b2core.client_phones")
    assert altered.run()["kind"] == "incremental"
