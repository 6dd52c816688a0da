-- Batches (state/batches.py). A batch's state is written in batch_moves.sql.

-- create_batch --
-- Plan a batch: its contacts are what is staged of the id range, in rows and blocks, or the removals that name it.
INSERT INTO contact_sync.batch (run_id, sync_id, lane, contacts, first_id, last_id, json_only, list_id)
VALUES (
    %(run_id)s,
    %(sync_id)s,
    %(lane)s,
    %(contacts)s,
    %(first_id)s,
    %(last_id)s,
    %(json_only)s,
    %(list_id)s
)
RETURNING batch_id;

-- load --
-- One batch.
-- Columns: those of the class Batch; ages in seconds.
SELECT
    batch_id,
    run_id,
    sync_id,
    lane,
    state,
    contacts,
    job_id,
    extract(EPOCH FROM now() - submitted_at)::float AS submitted_seconds,
    extract(EPOCH FROM now() - fate_unknown_at)::float AS unknown_seconds,
    list_id,
    root_id,
    tries
FROM contact_sync.batch
WHERE batch_id = %(batch_id)s;

-- open_of_earlier_runs --
-- Batches that another run of the sync left open, oldest first.
-- Parameters: sync_id, run_id = the present run.
SELECT batch_id
FROM contact_sync.batch
WHERE sync_id = %(sync_id)s AND run_id <> %(run_id)s AND is_open
ORDER BY batch_id;

-- open_roots --
-- Planned batches of a run that are open, or of whose family one is.
SELECT DISTINCT coalesce(root_id, batch_id) AS batch_id
FROM contact_sync.batch
WHERE run_id = %(run_id)s AND lane = any(%(lanes)s) AND is_open
ORDER BY batch_id;

-- next_open --
-- The first open batch of a family; they are sent one after the other.
-- Columns: batch_id, NULL = all are over.
SELECT min(batch_id) AS batch_id
FROM contact_sync.batch
WHERE (batch_id = %(root_id)s OR root_id = %(root_id)s) AND is_open;

-- has_begun --
-- Whether a batch of the run isn't as it was planned any more.
-- Parameters: run_id, planned = the state of a new batch.
SELECT
    exists(
        SELECT 1 FROM contact_sync.batch
        WHERE run_id = %(run_id)s AND state <> %(planned)s
    ) AS found;

-- begun_by --
-- The run that a holder has begun to send with and still has the lease for. Index: run_running
-- Parameters: name of the sync, holder, planned = the state of a new batch.
SELECT r.run_id
FROM contact_sync.sync AS s
INNER JOIN contact_sync.run AS r ON s.sync_id = r.sync_id AND s.epoch = r.epoch
WHERE
    s.name = %(name)s AND s.lease_holder = %(holder)s AND r.state = 'running' AND NOT r.dry_run
    AND EXISTS (
        SELECT 1 FROM contact_sync.batch AS b
        WHERE b.run_id = r.run_id AND b.state <> %(planned)s
    );

-- drop_planned --
-- Forget a run's batches.
DELETE FROM contact_sync.batch
WHERE run_id = %(run_id)s;

-- forget_plan --
-- The run is to be planned again; an approval that was given beforehand stays.
UPDATE contact_sync.run SET
    plan = NULL,
    approval = CASE WHEN approval ? 'why' THEN NULL ELSE approval END
WHERE run_id = %(run_id)s AND plan IS NOT NULL;

-- seconds_since_unknown --
-- How long ago a request of the sync last left without a definite answer.
-- Columns: seconds, NULL = never.
-- Index: batch_unknown
SELECT extract(EPOCH FROM now() - max(fate_unknown_at))::float AS seconds
FROM contact_sync.batch
WHERE sync_id = %(sync_id)s;

-- note_look --
-- SendGrid was asked for the job, and it isn't over.
UPDATE contact_sync.batch SET
    job_status = %(status)s,
    asked_at = now()
WHERE batch_id = %(batch_id)s AND is_open;

-- set_outcome --
-- What became of a batch.
UPDATE contact_sync.batch SET
    outcome = %(outcome)s,
    numbers = %(numbers)s,
    detail = %(detail)s
WHERE batch_id = %(batch_id)s;

-- count_taken_out --
-- Contacts that left a batch before SendGrid took it: refused by name; excluded, changed or gone in B2CORE.
UPDATE contact_sync.batch SET
    refused = refused + %(refused)s,
    excluded = excluded + %(excluded)s
WHERE batch_id = %(batch_id)s;

-- lose_contacts --
-- Some contacts of a removal have left the batch.
-- Parameters: batch_id, contacts = how many.
UPDATE contact_sync.batch SET contacts = contacts - %(contacts)s
WHERE batch_id = %(batch_id)s;
