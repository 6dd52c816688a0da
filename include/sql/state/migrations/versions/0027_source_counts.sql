-- Who has to do with a client that changed is found by address, not by reading the ledger.

CREATE INDEX ledger_address ON contact_sync.ledger (sync_id, email_hash);
CREATE INDEX ledger_former_contact ON contact_sync.ledger (sync_id, contact_hash) WHERE contact_hash <> email_hash;
CREATE INDEX ledger_unknown_address ON contact_sync.ledger (sync_id)
WHERE email_hash = 0 AND (state <> 'rejected' OR reason <> 'missing');
