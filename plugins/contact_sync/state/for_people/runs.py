"""Read the runs of syncs, for people: the newest ones, those of a DAG run, one by its id."""

from __future__ import annotations

from typing import Any, LiteralString

from contact_sync.postgres.cursor import Cursor, many

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


def latest_runs(cursor: Cursor, names: list[str], limit: int) -> list[dict[str, Any]]:
    """The newest runs of each sync, newest first."""
    return many(cursor, _RUN + _NEWEST, (limit, names))


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


def _escaped(text: str) -> str:
    """For LIKE, literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
