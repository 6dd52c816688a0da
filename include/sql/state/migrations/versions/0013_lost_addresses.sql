-- The contact of a client whose address has become empty or invalid is removed.
ALTER TABLE contact_sync.removal DROP CONSTRAINT removal_why_check;
ALTER TABLE contact_sync.removal ADD CONSTRAINT removal_why_check CHECK (
    why IN ('address_changed', 'address_lost', 'excluded', 'gone', 'list_changed')
);

CREATE OR REPLACE VIEW contact_sync.address_holder AS
SELECT
    sync_id,
    client_id,
    email_hash,
    contact_hash
FROM contact_sync.ledger
WHERE state <> 'excluded' AND (state <> 'rejected' OR field <> 'email');
COMMENT ON VIEW contact_sync.address_holder IS
'Clients that protect their addresses from removal: all but the excluded ones, and those without a valid address.';

INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why)
SELECT
    sync_id,
    email,
    contact_hash,
    client_id,
    'address_lost'
FROM contact_sync.ledger
WHERE state = 'rejected' AND field = 'email' AND email IS NOT NULL
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

-- Runs that are running, and those that did.
CREATE INDEX run_running ON contact_sync.run (sync_id) WHERE state = 'running';
