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
    coalesce((counts ->> 'created')::int, 0) AS created,
    tries,
    coalesce((numbers ->> 'refused')::int, 0) AS refused,
    coalesce((numbers ->> 'again')::int, 0) AS again,
    detail
FROM contact_sync.batch
WHERE (batch_id = %(root_id)s OR root_id = %(root_id)s) AND lane <> 'move'
ORDER BY batch_id;

-- create_parts --
-- Plan a batch's contacts once more, in batches of about equal size of the same family.
-- Parameters: batch_id; root_id = the planned batch; parts = how many; apart = client ids, each of which gets a batch
-- of its own; failed = 1 after a failed job, else 0.
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
    b.tries + %(failed)s
FROM (
    SELECT
        client_id,
        ARRAY[
            ntile(%(parts)s) OVER (ORDER BY client_id),
            2 * count(*) FILTER (WHERE client_id = any(%(apart)s::bigint[])) OVER (ORDER BY client_id)
            - (client_id = any(%(apart)s::bigint[]))::int
        ] AS part
    FROM contact_sync.batch_contact
    WHERE batch_id = %(batch_id)s
) AS c
CROSS JOIN contact_sync.batch AS b
WHERE b.batch_id = %(batch_id)s
GROUP BY b.batch_id, c.part
ORDER BY c.part;

-- create_further --
-- Plan a batch of those contacts of another one that are sent once more in another lane.
-- Parameters: batch_id = the other one; root_id = the planned batch; lane; contacts; first_id and last_id = client ids.
INSERT INTO contact_sync.batch (
    run_id, sync_id, lane, contacts, first_id, last_id, json_only, root_id, tries
)
SELECT
    b.run_id,
    b.sync_id,
    %(lane)s,
    %(contacts)s,
    %(first_id)s,
    %(last_id)s,
    b.json_only,
    %(root_id)s,
    b.tries
FROM contact_sync.batch AS b
WHERE b.batch_id = %(batch_id)s;
