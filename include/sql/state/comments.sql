-- Purpose:    what tables and columns mean, where no migration says it, or says it worse; docs/reference.md shows it.
-- Parameters: none; `migrate` runs it each time, after the migrations, so that a wording needs no version.
-- A column that a migration adds brings its comment along, or gets it here.

COMMENT ON TABLE contact_sync.sync IS 'Each sync that has run: its lease, watermark and mapping.';
COMMENT ON COLUMN contact_sync.sync.name IS 'The definition''s name.';
COMMENT ON COLUMN contact_sync.sync.lease_holder
IS 'Who is at work, as text for people; NULL = no one.';
COMMENT ON COLUMN contact_sync.sync.lease_until IS 'When the lease ends by itself; each step renews it.';
COMMENT ON COLUMN contact_sync.sync.mapping_version
IS 'Of the last finished run; when it changes, the next run is a full one.';
COMMENT ON COLUMN contact_sync.sync.last_full_at IS 'When the last full run finished, see `full_every_hours`.';

COMMENT ON TABLE contact_sync.run IS 'Each run: why, of what kind, what it planned and what became of it.';
COMMENT ON COLUMN contact_sync.run.epoch IS 'The fencing token that its lease had.';
COMMENT ON COLUMN contact_sync.run.kind IS 'incremental, full or resend: what it became, not what was asked for.';
COMMENT ON COLUMN contact_sync.run.kind_reason IS 'Why it is of that kind: a code.';
COMMENT ON COLUMN contact_sync.run.dry_run IS 'It only reports: it has no lease and changes nothing.';
COMMENT ON COLUMN contact_sync.run.state IS 'running, succeeded, failed, or superseded by a run that took its lease.';
COMMENT ON COLUMN contact_sync.run.holder IS 'The DAG run, or the process on the command line.';
COMMENT ON COLUMN contact_sync.run.reason IS 'What the person said who started it.';
COMMENT ON COLUMN contact_sync.run.definition_hash IS 'A definition that is edited meanwhile ends the run.';
COMMENT ON COLUMN contact_sync.run.destination IS 'List and fields, by id, as check_setup found them.';
COMMENT ON COLUMN contact_sync.run.snapshot IS 'The moment at which B2CORE was read, and what was found gone.';
COMMENT ON COLUMN contact_sync.run.plan IS 'Counts and reasons, before anything is sent.';
COMMENT ON COLUMN contact_sync.run.result IS 'Books, jobs, what is degraded.';
COMMENT ON COLUMN contact_sync.run.json_bytes
IS 'Larger requests aren''t tried any more in this run: SendGrid refused them as too large. NULL = none was.';
COMMENT ON COLUMN contact_sync.run.csv_bytes IS 'The same of files.';
COMMENT ON COLUMN contact_sync.run.json_taken IS 'The largest request that SendGrid took in this run, in bytes.';
COMMENT ON COLUMN contact_sync.run.csv_taken IS 'The same of files.';
COMMENT ON COLUMN contact_sync.run.cause IS 'Why it failed, in one sentence; NULL = it didn''t, or no step could say.';

COMMENT ON COLUMN contact_sync.run.report_gone_at
IS 'When plan, result, reason, cause and approval were deleted, see `retention`; NULL = they weren''t.';
COMMENT ON COLUMN contact_sync.run.read_at
IS 'When it began to read B2CORE, by the clock of this server; NULL = it hasn''t.';
COMMENT ON COLUMN contact_sync.run.ended_by
IS 'The run that has ended this one, which couldn''t write its end; NULL = it ended itself, or runs.';
COMMENT ON COLUMN contact_sync.run.ended_why IS 'Why that one did: a code.';
COMMENT ON COLUMN contact_sync.run.retry_rejected
IS 'Send rejected clients again even if nothing about them has changed.';
COMMENT ON COLUMN contact_sync.run.approve_removals
IS 'A person allows the removal of exactly this many absent clients.';

COMMENT ON TABLE contact_sync.slice IS 'The clients that one task reads.';
COMMENT ON COLUMN contact_sync.slice.first_id IS 'Client ids, from first_id to last_id.';
COMMENT ON COLUMN contact_sync.slice.clients IS 'How many there are between the two.';
COMMENT ON COLUMN contact_sync.slice.counts IS 'Counts and reasons of the slice; NULL = not staged yet.';

COMMENT ON TABLE contact_sync.batch
IS 'The contacts of one request or one file, and the job that SendGrid made of it.';
COMMENT ON COLUMN contact_sync.batch.lane
IS 'json and csv send; move carries along what a former contact holds; delete and unlist remove.';
COMMENT ON COLUMN contact_sync.batch.state
IS 'staged; submitting (a call) or created, uploading (a file); submitted; settled; void = dropped before a byte left.';
COMMENT ON COLUMN contact_sync.batch.first_id IS 'Client ids, from first_id to last_id; NULL for removals.';
COMMENT ON COLUMN contact_sync.batch.contacts IS 'How many.';
COMMENT ON COLUMN contact_sync.batch.job_id IS 'SendGrid''s, stored before the first byte of a file leaves.';
COMMENT ON COLUMN contact_sync.batch.job_status IS 'SendGrid''s last word: pending, completed, errored, failed.';
COMMENT ON COLUMN contact_sync.batch.counts IS 'SendGrid''s counts of the job.';
COMMENT ON COLUMN contact_sync.batch.outcome
IS 'What became of its contacts, a code; where nothing is known, why its clients are pending.';
COMMENT ON COLUMN contact_sync.batch.submitted_at
IS 'When the call or upload was announced, before it began; NULL again after a definite refusal.';
COMMENT ON COLUMN contact_sync.batch.settled_at IS 'When its outcome was in the ledger.';

COMMENT ON COLUMN contact_sync.batch.detail IS 'Why SendGrid refused it, in its own plain words.';

COMMENT ON TABLE contact_sync.refused_value
IS 'Values that SendGrid refused and that are left out of their contacts until they change.';
COMMENT ON COLUMN contact_sync.refused_value.field IS 'SendGrid''s name of the field.';
COMMENT ON COLUMN contact_sync.refused_value.value_hash IS 'Hash of the value as it was sent.';
COMMENT ON COLUMN contact_sync.refused_value.detail IS 'SendGrid''s own plain words.';
COMMENT ON COLUMN contact_sync.refused_value.run_id IS 'The run that sent the value last.';
COMMENT ON COLUMN contact_sync.refused_value.since IS 'When it was refused.';

COMMENT ON TABLE contact_sync.outbox IS 'Contacts that still have to be sent; deleted when their batch is settled.';
COMMENT ON COLUMN contact_sync.outbox.email_hash IS 'Hash of email.';
COMMENT ON COLUMN contact_sync.outbox.row_hash IS 'Hash of the payload, for the ledger.';
COMMENT ON COLUMN contact_sync.outbox.filled IS 'Fields that the payload has a value for, by bit.';
COMMENT ON COLUMN contact_sync.outbox.clears IS 'Fields that are emptied at SendGrid, by bit.';
COMMENT ON COLUMN contact_sync.outbox.json_only IS 'It clears something: a CSV file can''t say that for certain.';
COMMENT ON COLUMN contact_sync.outbox.size IS 'Bytes as JSON.';
COMMENT ON COLUMN contact_sync.outbox.stale
IS 'Number and Date fields that were emptied and can''t be cleared, by bit.';
COMMENT ON COLUMN contact_sync.outbox.person_hash IS 'As in the ledger; 0 or NULL = unknown.';

COMMENT ON TABLE contact_sync.outbox_block
IS 'Contacts of a first load by CSV that still have to be sent, many in a row; of unknown clients.';
COMMENT ON COLUMN contact_sync.outbox_block.first_id
IS 'The lowest client id; clients between it and last_id may be elsewhere.';
COMMENT ON COLUMN contact_sync.outbox_block.last_id IS 'The highest client id.';
COMMENT ON COLUMN contact_sync.outbox_block.contacts IS 'How many.';
COMMENT ON COLUMN contact_sync.outbox_block.client_ids IS 'Whose contacts they are.';
COMMENT ON COLUMN contact_sync.outbox_block.email_hashes IS 'Hashes of their addresses, in the same order.';
COMMENT ON COLUMN contact_sync.outbox_block.content
IS 'Arrow IPC, compressed: the columns of the outbox that aren''t 0 or false for each of these contacts.';
COMMENT ON VIEW contact_sync.staged_client IS 'Whose contacts a run has staged, in rows and in blocks.';
COMMENT ON VIEW contact_sync.batch_client IS 'Whose contacts are in a batch, in rows and in blocks.';
COMMENT ON VIEW contact_sync.batch_block IS 'The blocks of each batch; their ids are all in its range.';

COMMENT ON TABLE contact_sync.ledger
IS 'Each client''s fate: what SendGrid last confirmed of it, or why it isn''t sent.';
COMMENT ON COLUMN contact_sync.ledger.state
IS 'confirmed, pending (sent again by the next run), rejected, excluded, shared (another client has its address).';
COMMENT ON COLUMN contact_sync.ledger.field IS 'Of a rejection: which field.';
COMMENT ON COLUMN contact_sync.ledger.reason IS 'Of a rejection, an exclusion or a pending client: why, a code.';
COMMENT ON COLUMN contact_sync.ledger.tries IS 'How often it was sent in vain since it was last confirmed.';
COMMENT ON COLUMN contact_sync.ledger.looks
IS 'How often SendGrid looked at exactly this content and its contact wasn''t as sent.';
COMMENT ON COLUMN contact_sync.ledger.looked_hash IS 'Hash of the payload that looks and retaken are about.';
COMMENT ON COLUMN contact_sync.ledger.retaken IS 'How often its rejection was taken back since it changed last.';
COMMENT ON COLUMN contact_sync.ledger.looked_up_at IS 'Of a rejected client: when it was looked up last.';
COMMENT ON COLUMN contact_sync.ledger.off_list
IS 'Of an excluded client: true = no contact has to go; false = SendGrid can''t search it; NULL = not looked up.';
COMMENT ON COLUMN contact_sync.ledger.person_hash
IS 'Hash of the column person_key of clients.sql: whom the id belongs to; NULL = unknown.';
COMMENT ON COLUMN contact_sync.ledger.updated_at IS 'When this row changed last.';

COMMENT ON COLUMN contact_sync.removal.client_id IS 'Whose address it was; 0 = nobody knows a client of it.';
COMMENT ON COLUMN contact_sync.removal.email_hash IS 'Hash of email.';
COMMENT ON COLUMN contact_sync.removal.batch_id IS 'The removal''s batch; NULL = not planned yet.';
COMMENT ON COLUMN contact_sync.removal.noted_at IS 'Since when it is known.';
COMMENT ON COLUMN contact_sync.removal.why
IS 'The reason, a code: address_changed, address_lost, excluded, gone, list_changed or foreign.';
COMMENT ON COLUMN contact_sync.removal.kept
IS 'The contact stays without a client: who takes over the address clears its values. The address is forgotten.';
COMMENT ON COLUMN contact_sync.removal.tries
IS 'How often SendGrid accepted the removal and showed the contact all the same.';
COMMENT ON COLUMN contact_sync.removal.tried_at IS 'When that was last.';

-- Hashes of texts: xxh3, then AES-256 by each hash_key (contacts/hash_keys.py).
COMMENT ON COLUMN contact_sync.ledger.email_hash IS 'Hash of the address last seen in B2CORE.';
COMMENT ON COLUMN contact_sync.ledger.contact_hash IS 'Hash of email.';
COMMENT ON COLUMN contact_sync.move.former_hash
IS 'Hash of former; 0 = the client only loses what another one leaves at its address.';
COMMENT ON COLUMN contact_sync.verify_contact.email_hash IS 'Hash of the address, as in the ledger.';
COMMENT ON COLUMN contact_sync.verify_client.email_hash IS 'Hash of its address; 0 = none.';
COMMENT ON COLUMN contact_sync.finding.email_hash IS 'Hash of the address.';
COMMENT ON COLUMN contact_sync.suppression.email_hash IS 'Hash of the address, as in the ledger; 0 = no valid one.';
COMMENT ON COLUMN contact_sync.erasure_address.email_hash IS 'Hash of email, as in the ledger.';
COMMENT ON COLUMN contact_sync.suppression_due.email_hash IS 'Hash of email.';
COMMENT ON COLUMN contact_sync.verify_client.row_hash
IS 'Hash of the address and all values as they would be sent, as in the ledger.';
