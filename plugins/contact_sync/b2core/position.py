"""Where a snapshot of B2CORE stands, and on which server.

Hardened servers refuse some functions to a role that only reads: what needs one of those is then
unknown, which is no evidence of anything.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from contact_sync.postgres import arrow_reader
from contact_sync.postgres.arrow_reader import Connection
from contact_sync.postgres.literals import literal


class Part(NamedTuple):
    """One column: how it is asked for, which functions that takes, and what stands for unknown."""

    sql: str
    functions: tuple[str, ...] = ()
    unknown: str = "NULL"


CONTROL_SYSTEM, CHECKPOINT = "pg_control_system()", "pg_control_checkpoint()"
STARTED, COUNTING_SINCE = "pg_postmaster_start_time()", "pg_stat_get_bgwriter_stat_reset_time()"
ISO = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""

PARTS = {
    "horizon": Part("pg_snapshot_xmin(pg_current_snapshot())::text"),
    "next_xid": Part("pg_snapshot_xmax(pg_current_snapshot())::text"),
    "read_at": Part(f"to_char(now() AT TIME ZONE 'UTC', {ISO})"),
    "database": Part("(SELECT oid::text FROM pg_database WHERE datname = current_database())"),
    "system_identifier": Part(
        "(SELECT system_identifier::text FROM pg_control_system())", (CONTROL_SYSTEM,), "''"
    ),
    "started": Part(
        f"to_char(greatest({STARTED}, {COUNTING_SINCE}) AT TIME ZONE 'UTC', {ISO})",
        (STARTED, COUNTING_SINCE),
        "''",
    ),
    "timeline": Part(
        """CASE
        WHEN pg_is_in_recovery() THEN (
            SELECT greatest(c.timeline_id, r.min_recovery_end_timeline)
            FROM pg_control_checkpoint() AS c, pg_control_recovery() AS r
        )
        ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
    END""",
        (CHECKPOINT, "pg_control_recovery()", "pg_walfile_name(pg_lsn)", "pg_current_wal_lsn()"),
        "0",
    ),
    "lag_seconds": Part(
        """CASE
        WHEN NOT pg_is_in_recovery() THEN 0
        WHEN
            EXISTS (SELECT FROM pg_stat_wal_receiver)
            AND pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0
        ELSE extract(EPOCH FROM clock_timestamp() - coalesce(
            pg_last_xact_replay_timestamp(),
            (SELECT checkpoint_time FROM pg_control_checkpoint())
        ))::int
    END""",
        (
            CHECKPOINT, "pg_last_wal_receive_lsn()", "pg_last_wal_replay_lsn()",
            "pg_last_xact_replay_timestamp()",
        ),
        "0",
    ),
}  # fmt: skip
"""The timeline is that of the WAL being written: the control file learns of a promotion only with
the next checkpoint. A standby lags only while something is received and not replayed, or nobody
sends: the last replayed commit of an idle primary may be old without anything missing. The
database's oid is another one when it was dropped and made again. When a backend dies, the server
recovers as from a crash, and goes by the same start: all counts are dropped then, and only the
moment since when the server as a whole is counted tells of it.
"""


def refused_functions(connection: Connection, what: str) -> list[str]:
    """The functions that `position` would need and may not call."""
    needed = sorted({name for part in PARTS.values() for name in part.functions})
    query = f"""SELECT name FROM unnest({literal(needed)}::text[]) AS f (name)
                WHERE NOT has_function_privilege(name, 'EXECUTE') ORDER BY name"""  # noqa: S608 ours
    found: list[str] = arrow_reader.table(connection, query, what).column("name").to_pylist()
    return found


def position(connection: Connection, what: str) -> dict[str, Any]:
    """The columns of PARTS, for the transaction that is open."""
    refused = set(refused_functions(connection, what))
    columns = [
        f"{part.unknown if refused & set(part.functions) else part.sql} AS {name}"
        for name, part in PARTS.items()
    ]
    query = f"SELECT {', '.join(columns)}"
    (row,) = arrow_reader.table(connection, query, what).to_pylist()
    return dict(row)
