-- The lease of a sync (state/leases.py).

-- lock_lease --
-- Whose the lease is, and whether it holds; the row stays locked, so that two can't take it at once.
SELECT
    name,
    lease_holder,
    lease_until,
    coalesce(lease_until > now(), FALSE) AS is_taken
FROM contact_sync.sync
WHERE sync_id = %(sync_id)s
FOR UPDATE;

-- supersede_runs --
-- The new run ends those that couldn't write their end. Index: run_running
UPDATE contact_sync.run SET
    state = 'superseded',
    finished_at = now(),
    ended_by = %(run_id)s,
    ended_why = %(why)s
WHERE sync_id = %(sync_id)s AND state = 'running' AND NOT dry_run AND run_id <> %(run_id)s
RETURNING run_id;

-- take_lease --
UPDATE contact_sync.sync SET
    epoch = epoch + 1,
    lease_holder = %(holder)s,
    lease_until = now() + make_interval(mins => %(minutes)s)
WHERE sync_id = %(sync_id)s
RETURNING epoch;

-- renew_lease --
UPDATE contact_sync.sync SET lease_until = now() + make_interval(mins => %(minutes)s)
WHERE sync_id = %(sync_id)s AND epoch = %(epoch)s AND lease_holder IS NOT NULL;

-- release_lease --
UPDATE contact_sync.sync SET
    lease_holder = NULL,
    lease_until = NULL
WHERE sync_id = %(sync_id)s AND epoch = %(epoch)s;
