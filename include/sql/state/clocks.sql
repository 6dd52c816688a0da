-- The server's clock has gone back: what is stored ahead of it counts as now (state/clocks.py). A second is no jump.

-- pull_batches --
-- Index: batch_moments
UPDATE contact_sync.batch SET
    submitted_at = CASE WHEN submitted_at > now() THEN now() ELSE submitted_at END,
    fate_unknown_at = CASE WHEN fate_unknown_at > now() THEN now() ELSE fate_unknown_at END,
    settled_at = CASE WHEN settled_at > now() THEN now() ELSE settled_at END
WHERE
    sync_id = %(sync_id)s
    AND greatest(submitted_at, fate_unknown_at, settled_at) > now() + make_interval(secs => 1);

-- pull_sync --
-- A lease ends after its own length at the latest. Parameters: minutes = that length
UPDATE contact_sync.sync SET
    last_full_at = CASE WHEN last_full_at > now() THEN now() ELSE last_full_at END,
    lease_until = CASE
        WHEN lease_until > now() + make_interval(mins => %(minutes)s)
            THEN now() + make_interval(mins => %(minutes)s)
        ELSE lease_until
    END
WHERE
    sync_id = %(sync_id)s
    AND (
        last_full_at > now() + make_interval(secs => 1)
        OR lease_until > now() + make_interval(mins => %(minutes)s) + make_interval(secs => 1)
    );

-- pull_runs --
-- Index: run_running
UPDATE contact_sync.run SET
    started_at = CASE WHEN started_at > now() THEN now() ELSE started_at END,
    read_at = CASE WHEN read_at > now() THEN '-infinity' ELSE read_at END
WHERE
    sync_id = %(sync_id)s
    AND state = 'running'
    AND greatest(started_at, read_at) > now() + make_interval(secs => 1);

-- pull_removals --
-- Index: removal_noted
UPDATE contact_sync.removal SET
    noted_at = CASE WHEN noted_at > now() THEN now() ELSE noted_at END,
    tried_at = CASE WHEN tried_at > now() THEN now() ELSE tried_at END
WHERE
    sync_id = %(sync_id)s
    AND NOT kept
    AND greatest(noted_at, tried_at) > now() + make_interval(secs => 1);

-- pull_moves --
-- Index: move primary key
UPDATE contact_sync.move SET noted_at = now()
WHERE sync_id = %(sync_id)s AND noted_at > now() + make_interval(secs => 1);

-- seconds_since_read --
SELECT extract(EPOCH FROM now() - read_at)::float AS seconds
FROM contact_sync.run
WHERE run_id = %(run_id)s;
