"""Write who gets no mail from SendGrid into a table of yours, when a sync has read anything new.

An example: copy it into `dags/`, and set the four names below. The sync's definition needs the
block `suppressions`. The connection, of type postgres, may lead to any database; its role needs
INSERT, UPDATE and SELECT on the table, or CREATE in the schema, so that the first run makes it.
Repeating a run changes nothing; a row is never deleted: `lifted_at` says since when it isn't in
force any more.
"""

from __future__ import annotations

import psycopg
from airflow.sdk import DAG, task
from psycopg import sql

from contact_sync.airflow_edge.assets import suppressions_asset
from contact_sync.airflow_edge.dsn import postgres_dsn
from contact_sync.airflow_edge.handles import open_state
from contact_sync.base.errors import ConfigError
from contact_sync.config.files import read_definition
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.suppressed import Filter, all_addresses
from contact_sync.state.for_people.syncs import sync_row

SYNC = "demo"
CONNECTION = "suppressions_target"
SCHEMA, TABLE = "crm", "sendgrid_suppressions"

CREATE = """
CREATE TABLE IF NOT EXISTS {table} (
    sync text NOT NULL, email text NOT NULL, kind text NOT NULL, group_id integer NOT NULL,
    since timestamptz, lifted_at timestamptz, PRIMARY KEY (sync, email, kind, group_id)
)"""
WRITE = """
INSERT INTO {table} AS t (sync, email, kind, group_id, since, lifted_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (sync, email, kind, group_id) DO UPDATE
SET since = excluded.since, lifted_at = excluded.lifted_at
WHERE (t.since, t.lifted_at) IS DISTINCT FROM (excluded.since, excluded.lifted_at)"""


def write_suppressions(sync: str, connection_id: str, schema: str, table: str) -> int:
    """Bring the table up to date; returns how many suppressions it was compared with.

    Raises ConfigError when the sync has never run, psycopg's errors for the table.
    """
    state = open_state(read_definition(sync))
    with reading(state) as cursor:
        row = sync_row(cursor, sync)
    if row is None:
        raise ConfigError(f"The sync {sync!r} has never run: there is nothing to write")
    name = sql.Identifier(schema, table)
    compared = 0
    with psycopg.connect(postgres_dsn(connection_id), connect_timeout=10) as target:
        known = target.execute("SELECT to_regclass(%s)", [name.as_string(target)]).fetchone()
        if known == (None,):
            target.execute(sql.SQL(CREATE).format(table=name))
        for chunk in all_addresses(state, Filter(row.sync_id, with_lifted=True)):
            rows = [
                (sync, each.email, each.kind, each.group_id, each.since, each.gone_at)
                for each in chunk
            ]
            target.cursor().executemany(sql.SQL(WRITE).format(table=name), rows)
            compared += len(rows)
    return compared


with DAG("suppressions_to_table", schedule=[suppressions_asset(SYNC)], catchup=False) as dag:
    task(task_id="write_suppressions", retries=3)(write_suppressions)(
        SYNC, CONNECTION, SCHEMA, TABLE
    )
