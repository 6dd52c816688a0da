"""What the pages in Airflow's UI read: a few rows each, never the whole ledger. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state.database import StateDatabase, check_version

PAGE_SECONDS = 5
"""A person waits for the answer: a statement that takes longer is given up."""

_RUN: LiteralString = """
    SELECT r.run_id AS id, r.sync_id, s.name AS sync, r.kind, r.kind_reason, r.dry_run, r.state,
           r.reason, r.plan, r.result, r.cause, r.approval, r.holder, r.retry_rejected,
           r.approve_removals, r.started_at, r.finished_at, r.snapshot,
           extract(epoch FROM coalesce(r.finished_at, now()) - r.started_at)::float AS seconds,
           s.lease_until > now() AND s.epoch = r.epoch AS holds_lease,
           (SELECT coalesce(sum(b.contacts), 0)::bigint FROM contact_sync.batch AS b
            WHERE b.run_id = r.run_id AND b.lane IN ('json', 'csv') AND b.state = 'settled'
                AND b.job_status IN ('completed', 'errored')) AS sent
    FROM contact_sync.run AS r JOIN contact_sync.sync AS s USING (sync_id)
"""

_NEWEST: LiteralString = """
    WHERE r.run_id IN (
        SELECT newest.run_id FROM contact_sync.sync AS n
        CROSS JOIN LATERAL (
            SELECT run_id FROM contact_sync.run WHERE sync_id = n.sync_id
            ORDER BY run_id DESC LIMIT %s
        ) AS newest WHERE n.name = ANY(%s)
    ) ORDER BY r.run_id DESC
"""


@contextmanager
def reading(state: StateDatabase) -> Iterator[Cursor]:
    """One read-only transaction that sees one moment.

    Raises as StateDatabase.transaction does, and ConfigError unless the migrations have run.
    """
    with state.transaction() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(f"SET LOCAL statement_timeout = '{PAGE_SECONDS}s'")
        check_version(cursor)
        yield cursor


def sync_rows(cursor: Cursor, names: list[str]) -> dict[str, dict[str, Any]]:
    """By name: up to when B2CORE has been read, and who is at work. Syncs that never ran: none."""
    rows = many(
        cursor,
        """SELECT name, sync_id, (watermark ->> 'read_at')::timestamptz AS read_at, last_full_at,
                  CASE WHEN lease_until > now() THEN lease_holder END AS holder, now() AS now
           FROM contact_sync.sync WHERE name = ANY(%s)""",
        (names,),
    )
    return {row["name"]: row for row in rows}


def latest_runs(cursor: Cursor, names: list[str], limit: int) -> list[dict[str, Any]]:
    """The newest runs of each sync, newest first."""
    return many(
        cursor,
        _RUN + _NEWEST,
        (limit, names),
    )


def runs_of_holder(cursor: Cursor, sync: str, holder: str, limit: int) -> list[dict[str, Any]]:
    """The runs whose holder begins with `holder`, newest first: those of one DAG run."""
    return many(
        cursor,
        _RUN + """WHERE s.name = %s AND r.holder LIKE %s ORDER BY r.run_id DESC LIMIT %s""",
        (sync, _escaped(holder) + "%", limit),
    )


def run_of_id(cursor: Cursor, sync: str, run_id: int) -> dict[str, Any] | None:
    """One run of a sync."""
    rows = many(cursor, _RUN + "WHERE s.name = %s AND r.run_id = %s", (sync, run_id))
    return rows[0] if rows else None


def jobs_of_run(cursor: Cursor, run_id: int, limit: int) -> list[dict[str, Any]]:
    """A run's batches as they are now, in the order of their making; no address, no URL."""
    return many(
        cursor,
        """SELECT batch_id, lane, contacts AS rows, state, job_id, job_status AS status, outcome,
                  counts, tries, root_id, submitted_at, settled_at,
                  extract(epoch FROM coalesce(settled_at, now()) - submitted_at)::float AS seconds
           FROM contact_sync.batch WHERE run_id = %s ORDER BY batch_id LIMIT %s""",
        (run_id, limit),
    )


def job_sums(cursor: Cursor, run_id: int) -> list[dict[str, Any]]:
    """How many batches and contacts of a run are in which lane, state and job status."""
    return many(
        cursor,
        """SELECT lane, state, job_status AS status, count(*) AS jobs, sum(contacts)::bigint AS rows
           FROM contact_sync.batch WHERE run_id = %s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
        (run_id,),
    )


def slice_progress(cursor: Cursor, run_id: int) -> dict[str, int]:
    """How many slices and clients a run reads, and how many of them it has read."""
    (row,) = many(
        cursor,
        """SELECT count(*) AS slices, count(counts) AS done,
                  coalesce(sum(clients), 0)::bigint AS clients,
                  coalesce(sum(clients) FILTER (WHERE counts IS NOT NULL), 0)::bigint AS read
           FROM contact_sync.slice WHERE run_id = %s""",
        (run_id,),
    )
    return row


def first_rejected(cursor: Cursor, sync_id: int, limit: int) -> list[dict[str, Any]]:
    """Clients that are rejected now, by id: field, reason, since when, and the contact's address.

    The address is personal data: mask it unless the viewer may see it.
    """
    return many(
        cursor,
        """SELECT client_id, field, reason, email, tries, rejected_since AS since
           FROM contact_sync.ledger WHERE sync_id = %s AND state = 'rejected'
           ORDER BY client_id LIMIT %s""",
        (sync_id, limit),
    )


def _escaped(text: str) -> str:
    """For LIKE, literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
