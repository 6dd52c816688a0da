-- Syncs, their lease, and runs (state/runs.py).

-- has_sync --
SELECT count(*) > 0 AS found FROM contact_sync.sync
WHERE name = %(name)s;

-- hold_syncs --
-- As in hash_keys.sql: waits for whoever has all of them for itself.
SELECT sync_id FROM contact_sync.sync FOR SHARE;

-- insert_sync --
INSERT INTO contact_sync.sync (name) VALUES (%(name)s)
ON CONFLICT (name) DO NOTHING;

-- read_sync --
SELECT
    sync_id,
    epoch,
    watermark,
    mapping_version,
    fields,
    destination,
    now() AS now,
    extract(EPOCH FROM now() - last_full_at)::float / 3600 AS full_age_hours
FROM contact_sync.sync
WHERE name = %(name)s;

-- create_run --
INSERT INTO contact_sync.run (
    sync_id, epoch, kind, dry_run, holder, reason, definition_hash, retry_rejected, approve_removals, approval,
    unproven, token, mark_place, only_clients
)
VALUES (
    %(sync_id)s, %(epoch)s, %(kind)s, %(dry_run)s, %(holder)s, %(reason)s, %(definition_hash)s, %(retry_rejected)s,
    %(approve_removals)s, %(approval)s, %(unproven)s, %(token)s, %(mark_place)s,
    %(only_clients)s::bigint[]
)
RETURNING run_id;

-- load_run --
SELECT
    r.run_id,
    r.sync_id,
    s.name AS sync_name,
    r.epoch,
    r.kind,
    r.dry_run,
    r.state,
    r.definition_hash,
    r.destination,
    r.snapshot,
    r.plan,
    r.retry_rejected,
    r.approve_removals,
    r.approval,
    extract(EPOCH FROM now() - r.started_at)::float / 3600 AS age_hours,
    s.life::text AS life,
    r.token,
    r.unproven,
    r.kind_reason,
    r.only_clients
FROM contact_sync.run AS r
INNER JOIN contact_sync.sync AS s ON r.sync_id = s.sync_id
WHERE r.run_id = %(run_id)s;

-- end_dead_dry_runs --
-- A dry run has no lease that another run would take from it, so that one that was killed would run for ever.
-- Index: run_running
UPDATE contact_sync.run SET
    state = 'failed',
    cause = coalesce(cause, %(cause)s),
    finished_at = now(),
    ended_by = %(run_id)s,
    ended_why = %(why)s
WHERE
    sync_id = %(sync_id)s
    AND dry_run
    AND state = 'running'
    AND started_at < now() - make_interval(secs => %(seconds)s);

-- save_destination --
UPDATE contact_sync.run SET destination = %(destination)s
WHERE run_id = %(run_id)s;

-- save_fields --
UPDATE contact_sync.sync SET fields = %(fields)s
WHERE sync_id = %(sync_id)s;

-- save_snapshot --
UPDATE contact_sync.run SET
    snapshot = %(snapshot)s,
    read_at = %(began)s,
    kind = %(kind)s,
    kind_reason = %(why)s,
    kind_detail = %(detail)s
WHERE run_id = %(run_id)s;

-- save_plan --
UPDATE contact_sync.run SET plan = %(plan)s
WHERE run_id = %(run_id)s;

-- learn_size --
-- SendGrid refused a request or a file as too large: the next ones of the run are smaller, but not smaller than one
-- that it took.
-- Parameters: bytes = the most that is worth a try.
UPDATE contact_sync.run SET
    json_bytes = CASE
        WHEN %(lane)s = 'json' THEN least(json_bytes, greatest(json_taken, %(bytes)s))
        ELSE json_bytes
    END,
    csv_bytes = CASE
        WHEN %(lane)s = 'csv' THEN least(csv_bytes, greatest(csv_taken, %(bytes)s))
        ELSE csv_bytes
    END
WHERE run_id = %(run_id)s;

-- take_size --
-- SendGrid took a request or a file of so many bytes.
UPDATE contact_sync.run SET
    json_taken = CASE WHEN %(lane)s = 'json' THEN greatest(json_taken, %(bytes)s) ELSE json_taken END,
    csv_taken = CASE WHEN %(lane)s = 'csv' THEN greatest(csv_taken, %(bytes)s) ELSE csv_taken END
WHERE run_id = %(run_id)s;

-- learned_size --
-- Columns: bytes, NULL = nothing was too large.
SELECT CASE WHEN %(lane)s = 'json' THEN json_bytes ELSE csv_bytes END AS bytes
FROM contact_sync.run
WHERE run_id = %(run_id)s;

-- save_approval --
UPDATE contact_sync.run SET approval = %(approval)s
WHERE run_id = %(run_id)s;

-- degraded_before --
-- What was not as it should be after the last run before this one that succeeded. Index: run_by_sync
SELECT coalesce(result -> 'degraded', '{}') AS degraded
FROM contact_sync.run
WHERE sync_id = %(sync_id)s AND run_id < %(run_id)s AND state = 'succeeded' AND NOT dry_run
ORDER BY run_id DESC
LIMIT 1;

-- finish_run --
-- Once only: a run that is over stays as it ended, and keeps its first cause.
UPDATE contact_sync.run SET
    state = %(state)s,
    result = %(result)s,
    cause = coalesce(cause, %(cause)s),
    finished_at = now()
WHERE run_id = %(run_id)s AND state = 'running';

-- drop_slices --
DELETE FROM contact_sync.slice
WHERE run_id = %(run_id)s;

-- advance_watermark --
UPDATE contact_sync.sync SET
    watermark = %(watermark)s,
    mapping_version = %(mapping_version)s,
    destination = %(destination)s,
    last_full_at = CASE WHEN %(is_full)s THEN now() ELSE last_full_at END
WHERE sync_id = %(sync_id)s AND epoch = %(epoch)s;

-- note_wait --
-- A call waits for so many seconds. A run that another transaction holds just now is left alone.
UPDATE contact_sync.run SET
    waits_until = now() + make_interval(secs => %(seconds)s),
    waits_why = %(why)s
WHERE
    run_id IN (
        SELECT r.run_id FROM contact_sync.run AS r
        WHERE r.run_id = %(run_id)s AND r.state = 'running'
        FOR UPDATE SKIP LOCKED
    );

-- note_cause --
UPDATE contact_sync.run SET cause = coalesce(cause, %(cause)s)
WHERE run_id = %(run_id)s AND state = 'running';
