"""Batch families: a planned batch, and the batches that were split from it after failed jobs."""

from __future__ import annotations

from dataclasses import dataclass

from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state.batches import Batch

FAILED = "job_failed"
SINGLE = "job_failed, one contact"
SENT_AGAIN = "job_failed, sent again"
SPLIT = "split in halves"


@dataclass(frozen=True, slots=True)
class Member:
    """One batch of a family and what became of it."""

    batch_id: int
    contacts: int
    state: str
    job_status: str | None
    outcome: str | None
    created: int

    @property
    def failed(self) -> bool:
        """Whether its job failed as a whole."""
        return self.job_status == "failed"

    @property
    def succeeded(self) -> bool:
        """Whether its job was carried out, at least for some contacts."""
        return self.job_status in ("completed", "errored") and self.outcome != SPLIT


def members(cursor: Cursor, root_id: int) -> list[Member]:
    """The planned batch and all that were split from it, oldest first."""
    rows = many(
        cursor,
        """SELECT batch_id, contacts, state, job_status, outcome,
                  coalesce((counts ->> 'created')::int, 0) AS created
           FROM contact_sync.batch WHERE batch_id = %s OR root_id = %s ORDER BY batch_id""",
        (root_id, root_id),
    )
    return [Member(**row) for row in rows]


def create_parts(cursor: Cursor, batch: Batch, parts: int) -> int:
    """Stage the batch's contacts again in `parts` batches of equal size; returns how many."""
    cursor.execute(
        """INSERT INTO contact_sync.batch
               (run_id, sync_id, lane, contacts, first_id, last_id, json_only, root_id, tries)
           SELECT b.run_id, b.sync_id, b.lane, count(*), min(o.client_id), max(o.client_id),
                  b.json_only, %(root)s, b.tries + 1
           FROM (SELECT client_id, ntile(%(parts)s) OVER (ORDER BY client_id) AS part
                 FROM contact_sync.batch_contact WHERE batch_id = %(batch)s) AS o
           CROSS JOIN contact_sync.batch AS b WHERE b.batch_id = %(batch)s
           GROUP BY b.batch_id, o.part ORDER BY o.part""",
        {"root": batch.root, "batch": batch.batch_id, "parts": parts},
    )
    return cursor.rowcount


def drop_open(cursor: Cursor, root_id: int) -> None:
    """Void the family's batches that haven't been sent; their clients are pending already."""
    cursor.execute(
        """WITH dropped AS (
               UPDATE contact_sync.batch SET state = 'void', settled_at = now()
               WHERE root_id = %s AND state = 'staged'
               RETURNING run_id, first_id, last_id, json_only
           )
           DELETE FROM contact_sync.outbox AS o USING dropped AS d
           WHERE o.run_id = d.run_id AND o.client_id BETWEEN d.first_id AND d.last_id
               AND (d.json_only IS NULL OR o.json_only = d.json_only)""",
        (root_id,),
    )
