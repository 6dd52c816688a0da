"""A22 and B19: B2CORE's tables change their form, or a statement gives a client twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contact_sync.base.errors import ConfigError, FatalError
from contact_sync.postgres import arrow_reader
from contact_sync.run import in_one_process
from tests.support.source_faults import assert_failed_cleanly, replace_in
from tests.support.world import World

pytestmark = [pytest.mark.own_connections, pytest.mark.usefixtures("no_pause")]

VIEW = """ALTER TABLE b2core.clients RENAME TO clients_table;
          CREATE VIEW b2core.clients AS SELECT * FROM b2core.clients_table;
          GRANT SELECT ON b2core.clients TO contact_sync_reader"""
DRIFTS = {
    "dropped": ("ALTER TABLE b2core.clients DROP COLUMN first_name",
                ["clients.sql", "42703", "first_name"]),
    "renamed": ("ALTER TABLE b2core.client_addresses RENAME COLUMN city TO town",
                ["clients.sql", "42703", "city"]),
    "retyped": ("ALTER TABLE b2core.client_phones ALTER confirmed DROP DEFAULT,"
                " ALTER confirmed TYPE text",
                ["clients.sql", "42804"]),
    "table renamed": ("ALTER TABLE b2core.countries RENAME TO lands",
                      ["clients.sql", "42P01", "b2core.countries"]),
    "view": (VIEW, ["changed_xmin.sql", "42703", "xmin"]),
    "revoked": ("REVOKE SELECT ON b2core.client_phones FROM contact_sync_reader",
                [".sql", "42501", "client_phones"]),
}  # fmt: skip
TWICE = "FROM b2core.clients AS clients\n"


@pytest.mark.parametrize("drift", list(DRIFTS))
def test_A22_a_changed_table_stops_the_run(own_tables: World, drift: str) -> None:
    """The message names statement and column; nothing is sent and the watermark stays."""
    statement, words = DRIFTS[drift]
    writes = len(own_tables.writes())
    watermark = own_tables.state("SELECT watermark FROM contact_sync.sync")
    own_tables.edit(1, last_name="Changed")
    own_tables.sql(statement)
    with pytest.raises(ConfigError) as raised:
        own_tables.run()
    assert [word for word in words if word not in str(raised.value)] == []
    assert len(own_tables.writes()) == writes
    assert own_tables.state("SELECT watermark FROM contact_sync.sync") == watermark
    assert own_tables.report()["state"] == "failed"


@pytest.mark.parametrize("step", ["select_clients", "stage_clients"])
@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("ALTER TABLE b2core.client_phones RENAME COLUMN client_id TO owner_id", "client_id"),
        ("REVOKE SELECT ON b2core.client_phones FROM contact_sync_reader", "client_phones"),
    ],
    ids=["renamed", "revoked"],
)
def test_A22_a_table_that_changes_in_mid_run_stops_it(
    own_tables: World, monkeypatch: pytest.MonkeyPatch, step: str, statement: str, word: str
) -> None:
    """After the check, before a step that reads."""
    before(monkeypatch, step, lambda: own_tables.sql(statement))
    writes = len(own_tables.writes())
    own_tables.edit(1, last_name="Changed")
    with pytest.raises(ConfigError, match=rf"\(\w+\.sql\) refused a statement.*{word}") as raised:
        own_tables.run()
    assert_failed_cleanly(own_tables, raised.value, writes=writes)


def before(monkeypatch: pytest.MonkeyPatch, step: str, act: Callable[[], object]) -> None:
    """Do something before a step of a run."""
    real: Callable[..., Any] = getattr(in_one_process, step)
    monkeypatch.setattr(in_one_process, step, lambda *given: (act(), real(*given))[1])


def test_A22_a_new_enum_value_is_only_a_value(own_tables: World) -> None:
    """A status that nobody knew arrives as it is."""
    own_tables.sql("""CREATE TYPE b2core.status AS ENUM ('Active', 'Inactive', 'Banned', 'Deleted');
                      ALTER TABLE b2core.client_statuses ALTER name TYPE b2core.status
                      USING name::b2core.status""")
    own_tables.sql("ALTER TYPE b2core.status ADD VALUE 'Frozen'")
    own_tables.sql("UPDATE b2core.client_statuses SET name = 'Frozen' WHERE id = 1")
    own_tables.run()
    assert own_tables.contacts()["client1@example.com"]["custom_fields"]["Status"] == "Frozen"
    own_tables.assert_converged()


@pytest.mark.parametrize("statement", ["scan", "clients"])
@pytest.mark.parametrize("batch_bytes", [1, arrow_reader.BATCH_BYTES], ids=["apart", "together"])
def test_B19_a_join_that_gives_a_client_twice_stops_the_run(
    own_sql: World, monkeypatch: pytest.MonkeyPatch, statement: str, batch_bytes: int
) -> None:
    """Also when the two rows come in different batches; the message has the id and no value."""
    monkeypatch.setattr(arrow_reader, "BATCH_BYTES", batch_bytes)
    own_sql.seed()
    join = f"{TWICE}CROSS JOIN generate_series(1, 1 + (clients.id = 2)::int) AS fan_out\n"
    replace_in(own_sql, f"{statement}.sql", TWICE.rstrip() if statement == "scan" else TWICE, join)
    with pytest.raises(FatalError, match=f"{statement}.sql gives client 2 more than") as raised:
        own_sql.run()
    assert_failed_cleanly(own_sql, raised.value)
