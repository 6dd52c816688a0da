-- The lives of batches and clients, as base/batch_life.py and base/client_life.py have them: the database refuses
-- the rest. Rows that an earlier version wrote are brought into the form first.

-- Batches: "open" is one column, and no batch moves where the table has no move.

ALTER TABLE contact_sync.batch
ADD COLUMN is_open boolean NOT NULL GENERATED ALWAYS AS (state NOT IN ('settled', 'void')) STORED;
COMMENT ON COLUMN contact_sync.batch.is_open IS 'Whether something still happens to it.';
DROP INDEX contact_sync.batch_open;
CREATE INDEX batch_open ON contact_sync.batch (sync_id) WHERE is_open;

UPDATE contact_sync.batch
SET settled_at = coalesce(submitted_at, now())
WHERE NOT is_open AND settled_at IS NULL;

ALTER TABLE contact_sync.batch
ADD CONSTRAINT batch_life CHECK (
    (settled_at IS NULL) = is_open
    AND CASE state
        WHEN 'staged' THEN num_nonnulls(job_id, submitted_at, fate_unknown_at) = 0
        WHEN 'submitting' THEN num_nulls(submitted_at, fate_unknown_at) = 0
        WHEN 'created' THEN job_id IS NOT NULL
        WHEN 'uploading' THEN num_nulls(job_id, submitted_at, fate_unknown_at) = 0
        WHEN 'submitted' THEN num_nulls(job_id, submitted_at) = 0
        ELSE TRUE
    END
);

CREATE FUNCTION contact_sync.check_batch_move() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (old.state, new.state) NOT IN (
        ('staged', 'submitting'), ('staged', 'created'), ('staged', 'settled'), ('staged', 'void'),
        ('submitting', 'submitting'), ('submitting', 'staged'), ('submitting', 'submitted'),
        ('submitting', 'settled'),
        ('created', 'created'), ('created', 'uploading'), ('created', 'settled'), ('created', 'void'),
        ('uploading', 'created'), ('uploading', 'submitted'), ('uploading', 'settled'),
        ('submitted', 'settled')
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('a batch can''t move from %s to %s', old.state, new.state),
            SCHEMA = 'contact_sync', TABLE = 'batch', CONSTRAINT = 'batch_move';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER batch_move BEFORE UPDATE OF state ON contact_sync.batch
FOR EACH ROW EXECUTE FUNCTION contact_sync.check_batch_move();

-- Clients: who shares an address has a state of its own and no contact; each fate holds what it promises.

ALTER TABLE contact_sync.ledger DROP CONSTRAINT ledger_state_check;

INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id)
SELECT
    sync_id,
    email,
    contact_hash,
    client_id
FROM contact_sync.ledger
WHERE state = 'excluded' AND reason = 'shared_address' AND email IS NOT NULL AND contact_hash IS NOT NULL
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

UPDATE contact_sync.ledger
SET
    state = 'shared',
    email = NULL,
    contact_hash = NULL,
    row_hash = NULL,
    field = NULL,
    reason = NULL,
    rejected_since = NULL
WHERE state = 'excluded' AND reason = 'shared_address';

UPDATE contact_sync.ledger
SET rejected_since = updated_at
WHERE state = 'rejected' AND rejected_since IS NULL;

-- A confirmed client whose contact is no longer its own looks moved, so that the next run looks at it.
UPDATE contact_sync.ledger
SET
    email_hash = 0,
    row_hash = NULL
WHERE state = 'confirmed' AND email IS NULL AND (email_hash <> 0 OR row_hash IS NOT NULL);

ALTER TABLE contact_sync.ledger
ADD CONSTRAINT ledger_fate CHECK (
    (email IS NULL) = (contact_hash IS NULL)
    AND CASE state
        WHEN 'confirmed'
            THEN
                field IS NULL AND reason IS NULL AND rejected_since IS NULL
                AND CASE
                    WHEN email IS NULL THEN email_hash = 0 AND row_hash IS NULL
                    ELSE contact_hash = email_hash AND row_hash IS NOT NULL
                END
        WHEN 'pending' THEN reason IS NOT NULL AND num_nonnulls(field, row_hash) = 0
        WHEN 'rejected' THEN num_nulls(field, reason, rejected_since) = 0
        WHEN 'excluded' THEN reason IS NOT NULL AND num_nonnulls(field, row_hash, rejected_since) = 0
        WHEN 'shared' THEN num_nonnulls(email, field, reason, row_hash, rejected_since) = 0
        ELSE FALSE
    END
);
COMMENT ON CONSTRAINT ledger_fate ON contact_sync.ledger
IS 'What each fate promises. A confirmed client without a contact: another one has taken its address over.';

CREATE VIEW contact_sync.address_holder AS
SELECT
    sync_id,
    client_id,
    email_hash,
    contact_hash
FROM contact_sync.ledger
WHERE state <> 'excluded';
COMMENT ON VIEW contact_sync.address_holder
IS 'Clients that protect their addresses from removal: all but the excluded ones.';
