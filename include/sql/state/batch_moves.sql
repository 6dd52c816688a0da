-- The moves of base/batch_life.py, each under the name of its event: compare and set. `came_from` and `to_state` are
-- the table's, so that no state is named here. No row = the batch has moved meanwhile, and stays as it is.

-- announce --
-- The call is about to leave.
UPDATE contact_sync.batch
SET
    state = %(to_state)s,
    submitted_at = clock_timestamp(),
    fate_unknown_at = clock_timestamp()
WHERE batch_id = %(batch_id)s AND state = any(%(came_from)s)
RETURNING submitted_at;

-- refused --
-- The call was refused; only who announced it last may say so.
-- Parameters: announced = submitted_at of this try.
UPDATE contact_sync.batch
SET
    state = %(to_state)s,
    submitted_at = NULL,
    fate_unknown_at = NULL
WHERE batch_id = %(batch_id)s AND state = any(%(came_from)s) AND submitted_at = %(announced)s
RETURNING batch_id;

-- accepted --
-- The call's answer is there.
-- Parameters: announced = submitted_at of this try; first_try = no other one was before it.
UPDATE contact_sync.batch
SET
    state = %(to_state)s,
    job_id = %(job_id)s,
    fate_unknown_at = CASE
        WHEN %(first_try)s AND submitted_at = %(announced)s THEN NULL
        ELSE fate_unknown_at
    END
WHERE batch_id = %(batch_id)s AND state = any(%(came_from)s)
RETURNING batch_id;

-- created --
-- An import exists.
-- Parameters: before = job_id as this try found it.
UPDATE contact_sync.batch
SET
    state = %(to_state)s,
    job_id = %(job_id)s
WHERE batch_id = %(batch_id)s AND state = any(%(came_from)s) AND job_id IS NOT DISTINCT FROM %(before)s
RETURNING batch_id;

-- created_again --
-- Another import exists.
-- Parameters: before = job_id that this try has stored.
UPDATE contact_sync.batch
SET
    state = %(to_state)s,
    job_id = %(job_id)s
WHERE batch_id = %(batch_id)s AND state = any(%(came_from)s) AND job_id = %(before)s
RETURNING batch_id;

-- uploading --
-- The file is about to leave.
-- Parameters: job_id = the one that this try has stored.
UPDATE contact_sync.batch
SET
    state = %(to_state)s,
    submitted_at = clock_timestamp(),
    fate_unknown_at = clock_timestamp()
WHERE batch_id = %(batch_id)s AND state = any(%(came_from)s) AND job_id = %(job_id)s
RETURNING batch_id;

-- uploaded --
-- The file has arrived.
-- Parameters: job_id = the one that this try has stored.
UPDATE contact_sync.batch
SET
    state = %(to_state)s,
    fate_unknown_at = NULL
WHERE batch_id = %(batch_id)s AND state = any(%(came_from)s) AND job_id = %(job_id)s
RETURNING batch_id;

-- settle_unsent --
-- Nothing is left to send.
UPDATE contact_sync.batch
SET
    state = %(to_state)s,
    outcome = %(outcome)s,
    settled_at = clock_timestamp()
WHERE batch_id = %(batch_id)s AND state = any(%(came_from)s)
RETURNING batch_id;

-- settle --
-- The batch is over.
-- Parameters: job_status and counts, NULL = SendGrid said nothing of it; doubt = ends, begins or stays.
UPDATE contact_sync.batch
SET
    state = %(to_state)s,
    job_status = %(job_status)s,
    counts = %(counts)s,
    fate_unknown_at = CASE %(doubt)s
        WHEN 'ends' THEN NULL
        WHEN 'begins' THEN submitted_at
        ELSE fate_unknown_at
    END,
    settled_at = clock_timestamp()
WHERE batch_id = %(batch_id)s AND state = any(%(came_from)s)
RETURNING batch_id;

-- void --
-- Nothing of it was sent, and it won't be.
UPDATE contact_sync.batch
SET
    state = %(to_state)s,
    settled_at = clock_timestamp()
WHERE batch_id = %(batch_id)s AND state = any(%(came_from)s)
RETURNING batch_id;

-- void_family --
-- Nothing of these was sent, and it won't be: of the batches split from a planned one.
-- Parameters: root_id = the planned one.
-- One scan of batch, only when a whole family is given up.
UPDATE contact_sync.batch
SET
    state = %(to_state)s,
    settled_at = clock_timestamp()
WHERE root_id = %(root_id)s AND state = any(%(came_from)s)
RETURNING batch_id;
