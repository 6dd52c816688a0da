-- Batch families: a planned batch and those that were split from it (state/families.py).

-- members --
-- A planned batch and all that were split from it, oldest first; without those that move what former contacts hold.
-- Columns: those of the class Member.
-- One scan of batch.
SELECT
    batch_id,
    contacts,
    job_status,
    outcome,
    coalesce((counts ->> 'created')::int, 0) AS created
FROM contact_sync.batch
WHERE (batch_id = %(root_id)s OR root_id = %(root_id)s) AND lane <> 'move'
ORDER BY batch_id;

-- create_parts --
-- Plan a batch's contacts once more, in batches of about equal size of the same family.
-- Parameters: batch_id; root_id = the planned batch; parts = how many.
INSERT INTO contact_sync.batch (
    run_id, sync_id, lane, contacts, first_id, last_id, json_only, root_id, tries
)
SELECT
    b.run_id,
    b.sync_id,
    b.lane,
    count(*),
    min(c.client_id),
    max(c.client_id),
    b.json_only,
    %(root_id)s,
    b.tries + 1
FROM (
    SELECT
        client_id,
        ntile(%(parts)s) OVER (ORDER BY client_id) AS part
    FROM contact_sync.batch_contact
    WHERE batch_id = %(batch_id)s
) AS c
CROSS JOIN contact_sync.batch AS b
WHERE b.batch_id = %(batch_id)s
GROUP BY b.batch_id, c.part
ORDER BY c.part;

-- drop_contacts --
-- Forget the payloads of a range of client ids.
DELETE FROM contact_sync.outbox
WHERE
    run_id = %(run_id)s
    AND client_id BETWEEN %(first_id)s AND %(last_id)s
    AND (%(json_only)s::boolean IS NULL OR json_only = %(json_only)s);
