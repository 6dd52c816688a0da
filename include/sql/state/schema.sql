-- The schema contact_sync as the migrations and comments.sql make it; written by `make docs`.
-- To be read: what makes the tables is `python -m contact_sync migrate`.


CREATE FUNCTION contact_sync.check_batch_move() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

-- Each client's fate: what SendGrid last confirmed of it, or why it isn't sent.
CREATE TABLE contact_sync.ledger (
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    state text NOT NULL,  -- confirmed, pending (sent again by the next run), rejected, excluded, shared (another client has its address).
    email_hash bigint NOT NULL,  -- Hash of the address last seen in B2CORE.
    email text,  -- Address of this client's contact at SendGrid, as far as known.
    contact_hash bigint,  -- Hash of email.
    row_hash bigint,  -- Hash of the payload that SendGrid confirmed or refused.
    filled bigint DEFAULT 0 NOT NULL,  -- Fields that the contact may hold a value in, by bit.
    field text,  -- Of a rejection: which field.
    reason text,  -- Of a rejection, an exclusion or a pending client: why, a code.
    tries smallint DEFAULT 0 NOT NULL,  -- How often it was sent in vain since it was last confirmed.
    updated_at timestamp with time zone DEFAULT now() NOT NULL,  -- When this row changed last.
    absent smallint DEFAULT 0 NOT NULL,  -- In how many snapshots in a row the client was not in B2CORE.
    absent_run bigint,  -- The run that counted last: a repeated task counts once.
    rejected_since timestamp with time zone,  -- When the client was rejected first, without being confirmed since.
    stale bigint DEFAULT 0 NOT NULL,  -- Number and Date fields that B2CORE emptied and SendGrid can't clear, by bit.
    batch_id bigint,  -- The batch that the client was sent with last, and whose outcome is written here.
    detail text,  -- The reason in the words of others: SendGrid's of a refusal, B2CORE's of an exclusion.
    off_list boolean,  -- Of an excluded client: true = no contact has to go; false = SendGrid can't search it; NULL = not looked up.
    looks smallint DEFAULT 0 NOT NULL,  -- How often SendGrid looked at exactly this content and its contact wasn't as sent.
    looked_hash bigint,  -- Hash of the payload that looks and retaken are about.
    retaken smallint DEFAULT 0 NOT NULL,  -- How often its rejection was taken back since it changed last.
    looked_up_at timestamp with time zone,  -- Of a rejected client: when it was looked up last.
    person_hash bigint,  -- Hash of the column person_key of clients.sql: whom the id belongs to; NULL = unknown.
    unconfirmed boolean DEFAULT false NOT NULL,  -- It was sent, and no run has confirmed a contact of it since: what SendGrid has of it isn't known.
    CONSTRAINT ledger_fate CHECK ((((email IS NULL) = (contact_hash IS NULL)) AND
CASE state
    WHEN 'confirmed'::text THEN ((field IS NULL) AND (reason IS NULL) AND (rejected_since IS NULL) AND
    CASE
        WHEN (email IS NULL) THEN ((email_hash = 0) AND (row_hash IS NULL))
        ELSE ((contact_hash = email_hash) AND (row_hash IS NOT NULL))
    END)
    WHEN 'pending'::text THEN ((reason IS NOT NULL) AND (num_nonnulls(field, row_hash) = 0))
    WHEN 'rejected'::text THEN (num_nulls(field, reason, rejected_since) = 0)
    WHEN 'excluded'::text THEN ((reason IS NOT NULL) AND (num_nonnulls(field, row_hash, rejected_since) = 0))
    WHEN 'shared'::text THEN (num_nonnulls(email, field, reason, row_hash, rejected_since) = 0)
    ELSE false
END)),
    CONSTRAINT ledger_reason CHECK ((((detail IS NULL) OR (reason IS NOT NULL)) AND
CASE state
    WHEN 'pending'::text THEN (reason = ANY (ARRAY['changed_while_read'::text, 'gone_while_read'::text, 'changed_since_read'::text, 'suppression_unknown'::text, 'suppression_not_carried'::text, 'not_shown'::text, 'address_not_free'::text, 'fate_unknown'::text, 'job_unknown_to_sendgrid'::text, 'job_never_ended'::text, 'upload_never_arrived'::text, 'not_applied'::text, 'errors_file_unclear'::text, 'job_failed'::text, 'request_refused'::text, 'value_refused'::text, 'state_unproven'::text, 'found_missing'::text, 'found_different'::text, 'found_off_list'::text, 'tried_again'::text]))
    WHEN 'rejected'::text THEN (reason = ANY (ARRAY['missing'::text, 'invalid'::text, 'too_long'::text, 'not_a_number'::text, 'not_a_date'::text, 'rounded'::text, 'two_addresses'::text, 'look_alike_domain'::text, 'not_ascii'::text, 'no_country'::text, 'unknown_country'::text, 'number_too_short'::text, 'number_too_long'::text, 'not_assigned'::text, 'two_numbers'::text, 'no_number'::text, 'refused_by_sendgrid'::text, 'import_failed'::text, 'never_applied'::text]))
    WHEN 'excluded'::text THEN (reason = ANY (ARRAY['excluded_by_b2core'::text, 'excluded_address'::text, 'removed_by_hand'::text, 'suppressed_at_sendgrid'::text]))
    ELSE true
END))
);
COMMENT ON CONSTRAINT ledger_fate ON contact_sync.ledger IS 'What each fate promises. A confirmed client without a contact: another one has taken its address over.';
ALTER TABLE ONLY contact_sync.ledger ADD CONSTRAINT ledger_pkey PRIMARY KEY (sync_id, client_id);
CREATE INDEX ledger_absent ON contact_sync.ledger USING btree (sync_id) WHERE (absent > 0);
CREATE INDEX ledger_former_contact ON contact_sync.ledger USING btree (sync_id, contact_hash) WHERE (contact_hash <> email_hash);
CREATE INDEX ledger_rejected_reasons ON contact_sync.ledger USING btree (sync_id, field, reason, client_id) INCLUDE (detail) WHERE (state = 'rejected'::text);
CREATE INDEX ledger_stale ON contact_sync.ledger USING btree (sync_id) WHERE (stale <> 0);
CREATE INDEX ledger_unconfirmed ON contact_sync.ledger USING btree (sync_id, state, client_id) WHERE (state <> 'confirmed'::text);
CREATE INDEX ledger_unknown_address ON contact_sync.ledger USING btree (sync_id) WHERE ((email_hash = 0) AND ((state <> 'rejected'::text) OR (reason <> 'missing'::text)));
CREATE INDEX ledger_unseen ON contact_sync.ledger USING btree (sync_id, email_hash) WHERE ((state = 'excluded'::text) AND (off_list IS NULL));

-- Clients that protect their addresses from removal: all but the excluded ones, and those without a valid address.
CREATE VIEW contact_sync.address_holder AS
 SELECT sync_id,
    client_id,
    email_hash,
    contact_hash
   FROM contact_sync.ledger
  WHERE ((state <> 'excluded'::text) AND ((state <> 'rejected'::text) OR (field <> 'email'::text)));

-- The contacts of one request or one file, and the job that SendGrid made of it.
CREATE TABLE contact_sync.batch (
    batch_id bigint NOT NULL,
    run_id bigint NOT NULL,
    sync_id smallint NOT NULL,
    lane text NOT NULL,  -- json and csv send; move carries along what a former contact holds; delete and unlist remove.
    state text DEFAULT 'staged'::text NOT NULL,  -- staged; submitting (a call) or created, uploading (a file); submitted; settled; void = dropped before a byte left.
    first_id bigint,  -- Client ids, from first_id to last_id; NULL for removals.
    last_id bigint,
    json_only boolean,  -- Takes only outbox rows with this flag; NULL = all in the id range.
    contacts integer NOT NULL,  -- How many.
    job_id text,  -- SendGrid's, stored before the first byte of a file leaves.
    job_status text,  -- SendGrid's last word: pending, completed, errored, failed.
    counts jsonb,  -- SendGrid's counts of the job.
    outcome text,  -- What became of its contacts, a code; where nothing is known, why its clients are pending.
    fate_unknown_at timestamp with time zone,  -- Last time a request left and no definite answer came.
    submitted_at timestamp with time zone,  -- When the call or upload was announced, before it began; NULL again after a definite refusal.
    settled_at timestamp with time zone,  -- When its outcome was in the ledger.
    list_id text,  -- Lane unlist: the list that the contacts are taken off.
    root_id bigint,  -- The planned batch that this one was split from; NULL = it was planned.
    tries smallint DEFAULT 0 NOT NULL,  -- Failed jobs of this batch or of those it was split from.
    is_open boolean GENERATED ALWAYS AS ((state <> ALL (ARRAY['settled'::text, 'void'::text]))) STORED NOT NULL,  -- Whether something still happens to it.
    numbers jsonb,  -- The numbers that belong to the outcome.
    detail text,  -- Why SendGrid refused it, in its own plain words.
    refused integer DEFAULT 0 NOT NULL,  -- Contacts that SendGrid refused by name before it took the others; they are rejected.
    excluded integer DEFAULT 0 NOT NULL,  -- Contacts that B2CORE had excluded, changed or lost before they were sent.
    asked_at timestamp with time zone,  -- When SendGrid was last asked for the job and said that it isn't over; NULL = not yet.
    CONSTRAINT batch_lane_check CHECK ((lane = ANY (ARRAY['json'::text, 'csv'::text, 'delete'::text, 'unlist'::text, 'move'::text]))),
    CONSTRAINT batch_life CHECK ((((settled_at IS NULL) = is_open) AND
CASE state
    WHEN 'staged'::text THEN (num_nonnulls(job_id, submitted_at, fate_unknown_at) = 0)
    WHEN 'submitting'::text THEN (num_nulls(submitted_at, fate_unknown_at) = 0)
    WHEN 'created'::text THEN (job_id IS NOT NULL)
    WHEN 'uploading'::text THEN (num_nulls(job_id, submitted_at, fate_unknown_at) = 0)
    WHEN 'submitted'::text THEN (num_nulls(job_id, submitted_at) = 0)
    ELSE true
END)),
    CONSTRAINT batch_outcome CHECK ((outcome = ANY (ARRAY['applied'::text, 'nothing_left'::text, 'all_refused'::text, 'sent_again'::text, 'split'::text, 'failed_alone'::text, 'refused_alone'::text, 'rejected_alone'::text, 'removed'::text, 'unlisted'::text, 'not_removed'::text, 'still_shown'::text, 'deletions_unclear'::text, 'nothing_there'::text, 'list_gone'::text, 'not_found_yet'::text, 'unsearchable'::text, 'moved'::text, 'not_moved'::text, 'move_refused'::text, 'fate_unknown'::text, 'job_unknown_to_sendgrid'::text, 'job_never_ended'::text, 'upload_never_arrived'::text, 'not_applied'::text, 'errors_file_unclear'::text, 'job_failed'::text, 'request_refused'::text]))),
    CONSTRAINT batch_state_check CHECK ((state = ANY (ARRAY['staged'::text, 'submitting'::text, 'created'::text, 'uploading'::text, 'submitted'::text, 'settled'::text, 'void'::text])))
);
ALTER TABLE contact_sync.batch ALTER COLUMN batch_id ADD GENERATED ALWAYS AS IDENTITY ( SEQUENCE NAME contact_sync.batch_batch_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1 );
ALTER TABLE ONLY contact_sync.batch ADD CONSTRAINT batch_pkey PRIMARY KEY (batch_id);
CREATE INDEX batch_by_root ON contact_sync.batch USING btree (root_id) WHERE (root_id IS NOT NULL);
CREATE INDEX batch_by_run ON contact_sync.batch USING btree (run_id);
CREATE INDEX batch_moments ON contact_sync.batch USING btree (sync_id, GREATEST(submitted_at, fate_unknown_at, settled_at));
CREATE INDEX batch_open ON contact_sync.batch USING btree (sync_id) WHERE is_open;
CREATE INDEX batch_unknown ON contact_sync.batch USING btree (sync_id, fate_unknown_at) WHERE (fate_unknown_at IS NOT NULL);
CREATE TRIGGER batch_move BEFORE UPDATE OF state ON contact_sync.batch FOR EACH ROW EXECUTE FUNCTION contact_sync.check_batch_move();
ALTER TABLE ONLY contact_sync.batch ADD CONSTRAINT batch_root_id_fkey FOREIGN KEY (root_id) REFERENCES contact_sync.batch(batch_id);
ALTER TABLE ONLY contact_sync.batch ADD CONSTRAINT batch_run_id_fkey FOREIGN KEY (run_id) REFERENCES contact_sync.run(run_id);
ALTER TABLE ONLY contact_sync.batch ADD CONSTRAINT batch_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES contact_sync.sync(sync_id);

-- Contacts of a first load by CSV that still have to be sent, many in a row; of unknown clients.
CREATE TABLE contact_sync.outbox_block (
    run_id bigint NOT NULL,
    first_id bigint NOT NULL,  -- The lowest client id; clients between it and last_id may be elsewhere.
    last_id bigint NOT NULL,  -- The highest client id.
    contacts integer NOT NULL,  -- How many.
    client_ids bigint[] NOT NULL,  -- Whose contacts they are.
    email_hashes bigint[] NOT NULL,  -- Hashes of their addresses, in the same order.
    content bytea NOT NULL  -- Arrow IPC, compressed: the columns of the outbox that aren't 0 or false for each of these contacts.
);
ALTER TABLE ONLY contact_sync.outbox_block ALTER COLUMN client_ids SET STORAGE EXTERNAL;
ALTER TABLE ONLY contact_sync.outbox_block ALTER COLUMN email_hashes SET STORAGE EXTERNAL;
ALTER TABLE ONLY contact_sync.outbox_block ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE ONLY contact_sync.outbox_block ADD CONSTRAINT outbox_block_pkey PRIMARY KEY (run_id, first_id);
ALTER TABLE ONLY contact_sync.outbox_block ADD CONSTRAINT outbox_block_run_id_fkey FOREIGN KEY (run_id) REFERENCES contact_sync.run(run_id) ON DELETE CASCADE;

-- The blocks of each batch; their ids are all in its range.
CREATE VIEW contact_sync.batch_block AS
 SELECT b.batch_id,
    b.sync_id,
    k.run_id,
    k.first_id,
    k.contacts,
    k.client_ids,
    k.email_hashes,
    k.content
   FROM (contact_sync.batch b
     JOIN contact_sync.outbox_block k ON (((b.run_id = k.run_id) AND ((k.first_id >= b.first_id) AND (k.first_id <= b.last_id)))))
  WHERE (b.lane = 'csv'::text);

-- Contacts that still have to be sent; deleted when their batch is settled.
CREATE TABLE contact_sync.outbox (
    run_id bigint NOT NULL,
    client_id bigint NOT NULL,
    email text NOT NULL,
    email_hash bigint NOT NULL,  -- Hash of email.
    payload text NOT NULL,  -- The contact's row of a CSV import: address, values in mapping order, a newline.
    row_hash bigint NOT NULL,  -- Hash of the payload, for the ledger.
    filled bigint NOT NULL,  -- Fields that the payload has a value for, by bit.
    clears bigint DEFAULT 0 NOT NULL,  -- Fields that are emptied at SendGrid, by bit.
    json_only boolean DEFAULT false NOT NULL,  -- It clears something: a CSV file can't say that for certain.
    takes_over boolean DEFAULT false NOT NULL,  -- The address has been the contact of another client.
    size integer NOT NULL,  -- Bytes as JSON.
    suppress boolean DEFAULT false NOT NULL,  -- The former address is suppressed: suppress this one before it is uploaded.
    stale bigint DEFAULT 0 NOT NULL,  -- Number and Date fields that were emptied and can't be cleared, by bit.
    unsure bigint DEFAULT 0 NOT NULL,  -- Empty Text fields in which SendGrid may hold a value, for all that is known, by bit: a JSON request empties them.
    unsure_others bigint DEFAULT 0 NOT NULL,  -- The same of Number and Date fields, which nothing empties.
    suppress_groups integer[],  -- From which unsubscribe groups, 0 = from everything; NULL = from everything.
    person_hash bigint  -- As in the ledger; 0 or NULL = unknown.
);
ALTER TABLE ONLY contact_sync.outbox ADD CONSTRAINT outbox_pkey PRIMARY KEY (run_id, client_id);
CREATE INDEX outbox_suppress ON contact_sync.outbox USING btree (run_id, client_id) WHERE suppress;
CREATE INDEX outbox_takes_over ON contact_sync.outbox USING btree (run_id, client_id) WHERE takes_over;

-- The outbox rows of each batch: a range of client ids of its run.
CREATE VIEW contact_sync.batch_contact AS
 SELECT b.batch_id,
    b.sync_id,
    o.client_id,
    o.email,
    o.email_hash,
    o.payload,
    o.row_hash,
    o.filled,
    (o.clears |
        CASE
            WHEN (b.lane = 'json'::text) THEN o.unsure
            ELSE (0)::bigint
        END) AS clears,
    o.takes_over,
    o.suppress,
    o.suppress_groups,
    o.stale,
    (o.unsure | o.unsure_others) AS unsure,
    o.person_hash
   FROM (contact_sync.batch b
     JOIN contact_sync.outbox o ON (((b.run_id = o.run_id) AND ((o.client_id >= b.first_id) AND (o.client_id <= b.last_id)) AND ((b.json_only IS NULL) OR (o.json_only = b.json_only)))));

-- Whose contacts are in a batch, in rows and in blocks.
CREATE VIEW contact_sync.batch_client AS
 SELECT o.batch_id,
    o.sync_id,
    o.client_id,
    o.email_hash
   FROM contact_sync.batch_contact o
UNION ALL
 SELECT k.batch_id,
    k.sync_id,
    c.client_id,
    c.email_hash
   FROM (contact_sync.batch_block k
     CROSS JOIN LATERAL UNNEST(k.client_ids, k.email_hashes) c(client_id, email_hash));

-- What a run changes, client by client, for people; of each slice the first ones of a kind. No run reads it.
CREATE TABLE contact_sync.change (
    run_id bigint NOT NULL,
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    kind text NOT NULL,  -- new, changed, moved, sent_again, cleared, removed, unlisted, absent, excluded, rejected; dropped: a value unfit.
    field text DEFAULT ''::text NOT NULL,  -- Of a rejection or a dropped value: SendGrid's field; empty for the others.
    reason text,  -- Why, a code: of what is kept back, left out or removed, and of what SendGrid didn't confirm.
    detail text,  -- The reason in the words of others, as in the ledger.
    fields bigint,  -- Fields that differ from what SendGrid showed before, by bit; NULL = the contact wasn't compared.
    before_after bytea,  -- Values of these fields before and after, encrypted; only where the definition says `changes: {values: encrypted}`.
    state text,  -- The client's fate in the ledger when the run ended; NULL = it hasn't ended, or has nothing to do with it.
    batch_id bigint,  -- The batch of this run that it was in; NULL as above.
    CONSTRAINT change_kind CHECK ((kind = ANY (ARRAY['new'::text, 'changed'::text, 'moved'::text, 'sent_again'::text, 'cleared'::text, 'removed'::text, 'unlisted'::text, 'absent'::text, 'excluded'::text, 'rejected'::text, 'dropped'::text])))
)
WITH (fillfactor='70');
ALTER TABLE ONLY contact_sync.change ADD CONSTRAINT change_pkey PRIMARY KEY (run_id, kind, client_id, field);
CREATE INDEX change_by_client ON contact_sync.change USING btree (sync_id, client_id);
ALTER TABLE ONLY contact_sync.change ADD CONSTRAINT change_run_id_fkey FOREIGN KEY (run_id) REFERENCES contact_sync.run(run_id) ON DELETE CASCADE;

-- The clients' keys in B2CORE, where clients.sql gives the column client_key: for people, in lists and look-ups.
CREATE TABLE contact_sync.client_key (
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    client_key text NOT NULL  -- As B2CORE has it; stands for a person as client_id does.
);
ALTER TABLE ONLY contact_sync.client_key ADD CONSTRAINT client_key_pkey PRIMARY KEY (sync_id, client_id);
CREATE INDEX client_key_by_key ON contact_sync.client_key USING btree (sync_id, client_key);

-- Values of clients whose contact SendGrid has, or will have, that don't fit their field: they are left out, cut or rounded. A rejected, excluded or shared client has none.
CREATE TABLE contact_sync.dropped_value (
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    field text NOT NULL,  -- SendGrid's field.
    reason text NOT NULL,  -- Why it doesn't fit: a code. Too long and rounded values are sent, shortened.
    since timestamp with time zone NOT NULL,  -- When a run saw it first, without seeing the value mended since.
    CONSTRAINT dropped_value_reason CHECK ((reason = ANY (ARRAY['missing'::text, 'invalid'::text, 'too_long'::text, 'not_a_number'::text, 'not_a_date'::text, 'rounded'::text, 'two_addresses'::text, 'look_alike_domain'::text, 'not_ascii'::text, 'no_country'::text, 'unknown_country'::text, 'number_too_short'::text, 'number_too_long'::text, 'not_assigned'::text, 'two_numbers'::text, 'no_number'::text, 'refused_by_sendgrid'::text])))
);
ALTER TABLE ONLY contact_sync.dropped_value ADD CONSTRAINT dropped_value_pkey PRIMARY KEY (sync_id, client_id, field);
CREATE INDEX dropped_value_reasons ON contact_sync.dropped_value USING btree (sync_id, field, reason, client_id);

-- Each erasure of a person; kept for ever, without anything that says who it was.
CREATE TABLE contact_sync.erasure (
    erasure_id text NOT NULL,  -- Chosen at random, so that a restored database knows it again.
    sync_name text NOT NULL,  -- The sync that was named in the request.
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,  -- When the last look found nothing; NULL = the next run goes on with it.
    lifted_at timestamp with time zone,  -- When a person lifted its tombstones; NULL = they are in force.
    cause text  -- Why it didn't go on the last time, in one sentence; NULL = it did.
);
ALTER TABLE ONLY contact_sync.erasure ADD CONSTRAINT erasure_pkey PRIMARY KEY (erasure_id);
CREATE INDEX erasure_open ON contact_sync.erasure USING btree (requested_at) WHERE (finished_at IS NULL);

-- Addresses that have to be looked for at SendGrid; gone when that part of the erasure has ended.
CREATE TABLE contact_sync.erasure_address (
    erasure_id text NOT NULL,
    sync_id smallint NOT NULL,
    email text NOT NULL,
    email_hash bigint NOT NULL,  -- Hash of email, as in the ledger.
    deleted boolean DEFAULT false NOT NULL  -- Its contact was found, and SendGrid was told to delete it.
);
ALTER TABLE ONLY contact_sync.erasure_address ADD CONSTRAINT erasure_address_pkey PRIMARY KEY (erasure_id, sync_id, email);
ALTER TABLE ONLY contact_sync.erasure_address ADD CONSTRAINT erasure_address_erasure_id_sync_id_fkey FOREIGN KEY (erasure_id, sync_id) REFERENCES contact_sync.erasure_part(erasure_id, sync_id) ON DELETE CASCADE;

-- The person's ids in B2CORE; gone with the addresses.
CREATE TABLE contact_sync.erasure_client (
    erasure_id text NOT NULL,
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL
);
ALTER TABLE ONLY contact_sync.erasure_client ADD CONSTRAINT erasure_client_pkey PRIMARY KEY (erasure_id, sync_id, client_id);
ALTER TABLE ONLY contact_sync.erasure_client ADD CONSTRAINT erasure_client_erasure_id_sync_id_fkey FOREIGN KEY (erasure_id, sync_id) REFERENCES contact_sync.erasure_part(erasure_id, sync_id) ON DELETE CASCADE;

-- What is left to do of an erasure, one row for each sync that it concerns; ends with the look that finds nothing.
CREATE TABLE contact_sync.erasure_part (
    erasure_id text NOT NULL,
    sync_id smallint NOT NULL,
    run_mark bigint NOT NULL,  -- The newest run when it was asked for: later ones know of it.
    verification_mark bigint NOT NULL,  -- The newest verification then.
    sent_at timestamp with time zone,  -- When the person may have been sent last; SendGrid's search may lag behind that. NULL = it wasn't.
    purged_at timestamp with time zone,  -- When the state database lost what it had of the person; NULL = something that still needs it is under way.
    delete_job text,  -- SendGrid's job that deletes the contacts; NULL = none yet.
    events_job text  -- SendGrid's job that erases event data; NULL = none yet.
);
ALTER TABLE ONLY contact_sync.erasure_part ADD CONSTRAINT erasure_part_pkey PRIMARY KEY (erasure_id, sync_id);
ALTER TABLE ONLY contact_sync.erasure_part ADD CONSTRAINT erasure_part_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES contact_sync.erasure(erasure_id);
ALTER TABLE ONLY contact_sync.erasure_part ADD CONSTRAINT erasure_part_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES contact_sync.sync(sync_id);

-- The evidence of an erasure, without personal data: what was done, and when.
CREATE TABLE contact_sync.erasure_step (
    erasure_id text NOT NULL,
    step_no integer NOT NULL,
    at timestamp with time zone NOT NULL,
    what text NOT NULL,  -- A code (base/erasure_steps.py).
    sync_name text,
    by_whom text,  -- The user who asked; NULL = the step is the sync's own.
    reason text,  -- What that user said, without anything that looks like an address.
    numbers jsonb DEFAULT '{}'::jsonb NOT NULL,  -- How many of what.
    job_id text,  -- SendGrid's.
    key_id text NOT NULL,  -- Tells with which key it was sealed.
    seal bytea NOT NULL,  -- HMAC-SHA256 of this step and of the seal before: a step that was changed, added or left out shows.
    CONSTRAINT erasure_step_what CHECK ((what = ANY (ARRAY['requested'::text, 'purged'::text, 'contacts_deleted'::text, 'events_erased'::text, 'still_shown'::text, 'not_found'::text, 'finished'::text, 'lifted'::text, 'imported'::text])))
);
ALTER TABLE ONLY contact_sync.erasure_step ADD CONSTRAINT erasure_step_pkey PRIMARY KEY (erasure_id, step_no);
ALTER TABLE ONLY contact_sync.erasure_step ADD CONSTRAINT erasure_step_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES contact_sync.erasure(erasure_id);

-- Addresses that B2CORE excludes, by hash: nobody may have a contact there.
CREATE VIEW contact_sync.excluded_address AS
 SELECT sync_id,
    email_hash
   FROM contact_sync.ledger
  WHERE ((state = 'excluded'::text) AND (reason <> 'removed_by_hand'::text) AND (absent = 0) AND (email_hash <> 0));

-- Clients that B2CORE excludes, by their own row or by another client's with the same address.
CREATE VIEW contact_sync.excluded_by_b2core AS
 SELECT sync_id,
    client_id,
    email_hash
   FROM contact_sync.ledger
  WHERE ((state = 'excluded'::text) AND (reason = ANY (ARRAY['excluded_by_b2core'::text, 'excluded_address'::text])));

-- What a verification found not to be equal; kept until the next one of the sync succeeds.
CREATE TABLE contact_sync.finding (
    verification_id bigint NOT NULL,
    finding_no bigint NOT NULL,
    verdict text NOT NULL,  -- What is wrong: a code.
    client_id bigint,  -- Whose contact it is, or was; NULL = no client is known.
    email text,  -- Only of contacts that have to leave the list or SendGrid, and of foreign ones on the list.
    email_hash bigint NOT NULL,  -- Hash of the address.
    fields text[] DEFAULT '{}'::text[] NOT NULL,  -- SendGrid's names of the fields that differ, or can't be compared.
    on_list boolean,  -- Whether the contact is on the sync's list; NULL = there is no contact.
    updated_at timestamp with time zone,  -- When the contact changed last, as SendGrid says.
    looked_at timestamp with time zone,  -- When it was looked up again, because both sides go on changing; NULL = it wasn't, there are too many.
    repaired boolean DEFAULT false NOT NULL,  -- The next run after it was told to put it right.
    CONSTRAINT finding_verdict CHECK ((verdict = ANY (ARRAY['missing'::text, 'different'::text, 'off_list'::text, 'excluded_on_list'::text, 'deleted_on_list'::text, 'former_on_list'::text, 'ghost'::text, 'foreign_on_list'::text, 'not_comparable'::text])))
);
ALTER TABLE ONLY contact_sync.finding ADD CONSTRAINT finding_pkey PRIMARY KEY (verification_id, finding_no);
CREATE INDEX finding_by_verdict ON contact_sync.finding USING btree (verification_id, verdict, finding_no);
CREATE INDEX finding_unseen ON contact_sync.finding USING btree (verification_id, finding_no) WHERE (looked_at IS NULL);
ALTER TABLE ONLY contact_sync.finding ADD CONSTRAINT finding_verification_id_fkey FOREIGN KEY (verification_id) REFERENCES contact_sync.verification(verification_id) ON DELETE CASCADE;

-- The keys that hashes of texts were made with, one after the other; none = plain hashes. The keys are elsewhere.
CREATE TABLE contact_sync.hash_key (
    place smallint NOT NULL,  -- The place in the order in which they are applied, from 1.
    key_id text NOT NULL,  -- Tells one key from another, and says nothing about it.
    since timestamp with time zone DEFAULT now() NOT NULL  -- When all hashes got it.
);
ALTER TABLE ONLY contact_sync.hash_key ADD CONSTRAINT hash_key_key_id_key UNIQUE (key_id);
ALTER TABLE ONLY contact_sync.hash_key ADD CONSTRAINT hash_key_pkey PRIMARY KEY (place);

-- Whom each run has looked at since the rows were counted: for them the count says nothing any more.
CREATE TABLE contact_sync.looked_at (
    sync_id smallint NOT NULL,
    run_id bigint NOT NULL,
    client_ids bigint[] NOT NULL
);
ALTER TABLE ONLY contact_sync.looked_at ADD CONSTRAINT looked_at_pkey PRIMARY KEY (sync_id, run_id);
ALTER TABLE ONLY contact_sync.looked_at ADD CONSTRAINT looked_at_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES contact_sync.sync(sync_id) ON DELETE CASCADE;

-- What goes along from a former contact to a client's new one; a row ends when the new one is seen with it.
CREATE TABLE contact_sync.move (
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    former_hash bigint NOT NULL,  -- Hash of former; 0 = the client only loses what another one leaves at its address.
    former text,  -- The former address, whose contact isn't removed before.
    email text NOT NULL,  -- The new address.
    belongings jsonb,  -- Lists and values of fields that no sync fills; NULL = SendGrid hasn't shown the former contact yet.
    batch_id bigint,  -- The batch that carries it, once there is one.
    tries smallint DEFAULT 0 NOT NULL,  -- How often it was sent and not seen afterwards.
    noted_at timestamp with time zone DEFAULT now() NOT NULL  -- Since when it is known.
);
ALTER TABLE ONLY contact_sync.move ADD CONSTRAINT move_pkey PRIMARY KEY (sync_id, client_id, former_hash);

-- Contacts to be deleted or taken off the list: former addresses, excluded and deleted clients.
CREATE TABLE contact_sync.removal (
    sync_id smallint CONSTRAINT obsolete_address_sync_id_not_null NOT NULL,
    email text CONSTRAINT obsolete_address_email_not_null NOT NULL,
    email_hash bigint CONSTRAINT obsolete_address_email_hash_not_null NOT NULL,  -- Hash of email.
    client_id bigint CONSTRAINT obsolete_address_client_id_not_null NOT NULL,  -- Whose address it was; 0 = nobody knows a client of it.
    batch_id bigint,  -- The removal's batch; NULL = not planned yet.
    kept boolean DEFAULT false CONSTRAINT obsolete_address_kept_not_null NOT NULL,  -- The contact stays without a client: who takes over the address clears its values. The address is forgotten.
    noted_at timestamp with time zone DEFAULT now() CONSTRAINT obsolete_address_noted_at_not_null NOT NULL,  -- Since when it is known.
    why text DEFAULT 'address_changed'::text NOT NULL,  -- The reason, a code: address_changed, address_lost, excluded, gone, list_changed or foreign.
    list_id text DEFAULT ''::text NOT NULL,  -- list_changed only: the former list.
    tries smallint DEFAULT 0 NOT NULL,  -- How often SendGrid accepted the removal and showed the contact all the same.
    tried_at timestamp with time zone,  -- When that was last.
    CONSTRAINT removal_why_check CHECK ((why = ANY (ARRAY['address_changed'::text, 'address_lost'::text, 'excluded'::text, 'gone'::text, 'list_changed'::text, 'foreign'::text])))
);
ALTER TABLE ONLY contact_sync.removal ADD CONSTRAINT removal_pkey PRIMARY KEY (sync_id, email, list_id);
CREATE INDEX removal_by_batch ON contact_sync.removal USING btree (batch_id) WHERE (batch_id IS NOT NULL);
CREATE INDEX removal_by_hash ON contact_sync.removal USING btree (sync_id, email_hash);
CREATE INDEX removal_noted ON contact_sync.removal USING btree (sync_id, why, list_id, email) WHERE (NOT kept);

-- Who is to be unsubscribed from everything at SendGrid; only of syncs whose definition says `suppress_excluded`.
CREATE TABLE contact_sync.suppression_due (
    sync_id smallint NOT NULL,
    email text NOT NULL,  -- The address of a contact that this sync has sent.
    email_hash bigint NOT NULL,  -- Hash of email.
    client_id bigint NOT NULL,  -- Whose address it was; 0 = nobody knows a client of it.
    noted_at timestamp with time zone DEFAULT now() NOT NULL,  -- Since when it is known.
    shown boolean DEFAULT false NOT NULL  -- SendGrid has shown it; the row stays while the contact's removal does, so that nothing is sent twice.
);
ALTER TABLE ONLY contact_sync.suppression_due ADD CONSTRAINT suppression_due_pkey PRIMARY KEY (sync_id, email);

-- Contacts of clients that B2CORE has newly excluded, before they leave or are kept; not those of another sync.
CREATE VIEW contact_sync.new_suppression_due AS
 SELECT sync_id,
    email,
    email_hash,
    client_id
   FROM contact_sync.removal a
  WHERE ((why = 'excluded'::text) AND (NOT kept) AND (NOT (EXISTS ( SELECT 1
           FROM contact_sync.suppression_due d
          WHERE ((d.sync_id = a.sync_id) AND (d.email = a.email))))) AND (NOT (EXISTS ( SELECT 1
           FROM contact_sync.removal k
          WHERE ((k.sync_id = a.sync_id) AND (k.email_hash = a.email_hash) AND (k.why = 'excluded'::text) AND k.kept)))) AND (NOT (EXISTS ( SELECT 1
           FROM contact_sync.address_holder h
          WHERE ((h.contact_hash = a.email_hash) AND (h.sync_id <> a.sync_id))))) AND ((EXISTS ( SELECT 1
           FROM contact_sync.excluded_by_b2core x
          WHERE ((x.sync_id = a.sync_id) AND (x.client_id = a.client_id)))) OR (EXISTS ( SELECT 1
           FROM contact_sync.excluded_by_b2core x
          WHERE ((x.sync_id = a.sync_id) AND (x.email_hash = a.email_hash))))));

-- Values that SendGrid refused and that are left out of their contacts until they change.
CREATE TABLE contact_sync.refused_value (
    sync_id smallint NOT NULL,
    client_id bigint NOT NULL,
    field text NOT NULL,  -- SendGrid's name of the field.
    value_hash bigint NOT NULL,  -- Hash of the value as it was sent.
    detail text,  -- SendGrid's own plain words.
    run_id bigint NOT NULL,  -- The run that sent the value last.
    since timestamp with time zone DEFAULT now() NOT NULL  -- When it was refused.
);
ALTER TABLE ONLY contact_sync.refused_value ADD CONSTRAINT refused_value_pkey PRIMARY KEY (sync_id, client_id, field);
ALTER TABLE ONLY contact_sync.refused_value ADD CONSTRAINT refused_value_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES contact_sync.sync(sync_id);

-- How many rows of phones, addresses and the like each client had in B2CORE, as a run counted them.
CREATE TABLE contact_sync.row_count (
    sync_id smallint NOT NULL,
    run_id bigint NOT NULL,
    counted bytea NOT NULL  -- Columns client_id and rows, as an Arrow stream; it counts once its run has succeeded.
);
ALTER TABLE ONLY contact_sync.row_count ALTER COLUMN counted SET STORAGE EXTERNAL;
ALTER TABLE ONLY contact_sync.row_count ADD CONSTRAINT row_count_pkey PRIMARY KEY (sync_id, run_id);
ALTER TABLE ONLY contact_sync.row_count ADD CONSTRAINT row_count_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES contact_sync.sync(sync_id) ON DELETE CASCADE;

-- Each run: why, of what kind, what it planned and what became of it.
CREATE TABLE contact_sync.run (
    run_id bigint NOT NULL,
    sync_id smallint NOT NULL,
    epoch bigint NOT NULL,  -- The fencing token that its lease had.
    kind text NOT NULL,  -- incremental, full or resend: what it became, not what was asked for.
    kind_reason text,  -- Why it is of that kind: a code.
    dry_run boolean DEFAULT false NOT NULL,  -- It only reports: it has no lease and changes nothing.
    state text DEFAULT 'running'::text NOT NULL,  -- running, succeeded, failed, or superseded by a run that took its lease.
    holder text NOT NULL,  -- The DAG run, or the process on the command line.
    reason text,  -- What the person said who started it.
    definition_hash text NOT NULL,  -- A definition that is edited meanwhile ends the run.
    destination jsonb,  -- List and fields, by id, as check_setup found them.
    snapshot jsonb,  -- The moment at which B2CORE was read, and what was found gone.
    plan jsonb,  -- Counts and reasons, before anything is sent.
    result jsonb,  -- Books, jobs, what is degraded.
    cause text,  -- Why it failed, in one sentence; NULL = it didn't, or no step could say.
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    retry_rejected boolean DEFAULT false NOT NULL,  -- Send rejected clients again even if nothing about them has changed.
    approve_removals integer,  -- A person allows the removal of exactly this many absent clients.
    approval jsonb,  -- Set when limits are exceeded: {why, decision, by}; nothing is sent before decision = approved.
    kind_detail text,  -- Since when, or after how many hours: what belongs to kind_reason.
    json_bytes bigint,  -- Larger requests aren't tried any more in this run: SendGrid refused them as too large. NULL = none was.
    csv_bytes bigint,  -- The same of files.
    json_taken bigint,  -- The largest request that SendGrid took in this run, in bytes.
    csv_taken bigint,  -- The same of files.
    ended_by bigint,  -- The run that has ended this one, which couldn't write its end; NULL = it ended itself, or runs.
    ended_why text,  -- Why that one did: a code.
    read_at timestamp with time zone,  -- When it began to read B2CORE, by the clock of this server; NULL = it hasn't.
    unproven text,  -- Why the ledger wasn't believed when it began, a code; NULL = it was.
    token text,  -- Chosen at random; its mark outside of this database has it, too.
    mark_place text,  -- The kind of place where it left its mark: airflow or file; NULL = none.
    only_clients bigint[],  -- A trial: it looks at these clients, moves no watermark and removes nothing; NULL = an ordinary run.
    report_gone_at timestamp with time zone,  -- When plan, result, reason, cause and approval were deleted, see `retention`; NULL = they weren't.
    waits_until timestamp with time zone,  -- When a call that SendGrid has turned away is tried again; in the past = none waits.
    waits_why text,  -- Which call it is, and why it waits.
    CONSTRAINT run_ended_why CHECK ((((ended_by IS NULL) = (ended_why IS NULL)) AND (ended_why = ANY (ARRAY['lease_run_out'::text, 'taken_over'::text, 'tried_again'::text, 'too_old'::text, 'process_died'::text])))),
    CONSTRAINT run_kind_check CHECK ((kind = ANY (ARRAY['incremental'::text, 'full'::text, 'resend'::text]))),
    CONSTRAINT run_kind_reason CHECK ((kind_reason = ANY (ARRAY['asked_for'::text, 'first_load'::text, 'mapping_changed'::text, 'server_replaced'::text, 'server_restarted'::text, 'tables_replaced'::text, 'detection_switched'::text, 'xmin_too_old'::text, 'full_run_due'::text, 'changes_since'::text, 'state_went_back'::text, 'state_restored'::text, 'state_moved'::text, 'state_restarted'::text, 'statements_changed'::text, 'trial'::text, 'rows_deleted'::text]))),
    CONSTRAINT run_state_check CHECK ((state = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text, 'superseded'::text])))
);
ALTER TABLE contact_sync.run ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY ( SEQUENCE NAME contact_sync.run_run_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1 );
ALTER TABLE ONLY contact_sync.run ADD CONSTRAINT run_pkey PRIMARY KEY (run_id);
CREATE INDEX run_by_holder ON contact_sync.run USING btree (sync_id, holder text_pattern_ops);
CREATE INDEX run_by_start ON contact_sync.run USING btree (sync_id, started_at) WHERE (NOT dry_run);
CREATE INDEX run_by_sync ON contact_sync.run USING btree (sync_id, run_id DESC);
CREATE INDEX run_ended_by ON contact_sync.run USING btree (ended_by) WHERE (ended_by IS NOT NULL);
CREATE INDEX run_marked ON contact_sync.run USING btree (sync_id, mark_place) WHERE (mark_place IS NOT NULL);
CREATE INDEX run_running ON contact_sync.run USING btree (sync_id) WHERE (state = 'running'::text);
CREATE INDEX run_succeeded ON contact_sync.run USING btree (sync_id, run_id) WHERE ((state = 'succeeded'::text) AND (NOT dry_run));
ALTER TABLE ONLY contact_sync.run ADD CONSTRAINT run_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES contact_sync.sync(sync_id);

-- The clients that one task reads.
CREATE TABLE contact_sync.slice (
    run_id bigint NOT NULL,
    slice_no integer NOT NULL,
    first_id bigint NOT NULL,  -- Client ids, from first_id to last_id.
    last_id bigint NOT NULL,
    clients integer NOT NULL,  -- How many there are between the two.
    members bytea NOT NULL,  -- Arrow IPC: client_id, email_hash, verdict of each client.
    counts jsonb  -- Counts and reasons of the slice; NULL = not staged yet.
);
ALTER TABLE ONLY contact_sync.slice ALTER COLUMN members SET STORAGE EXTERNAL;
ALTER TABLE ONLY contact_sync.slice ADD CONSTRAINT slice_pkey PRIMARY KEY (run_id, slice_no);
ALTER TABLE ONLY contact_sync.slice ADD CONSTRAINT slice_run_id_fkey FOREIGN KEY (run_id) REFERENCES contact_sync.run(run_id) ON DELETE CASCADE;

-- Whose contacts a run has staged, in rows and in blocks.
CREATE VIEW contact_sync.staged_client AS
 SELECT o.run_id,
    o.client_id,
    o.email_hash
   FROM contact_sync.outbox o
UNION ALL
 SELECT k.run_id,
    c.client_id,
    c.email_hash
   FROM (contact_sync.outbox_block k
     CROSS JOIN LATERAL UNNEST(k.client_ids, k.email_hashes) c(client_id, email_hash));

-- Evidence, rewritten by each run, by which the next one sees whether this database went back.
CREATE TABLE contact_sync.state_identity (
    sync_id smallint NOT NULL,
    written_by xid8 NOT NULL,  -- The transaction that wrote the row; its xmin is another one when the row was restored.
    database_oid oid NOT NULL,  -- The database that it was written in.
    run_oid oid NOT NULL,  -- The table of runs that was there.
    ledger_oid oid NOT NULL,  -- The ledger that was there.
    ledger_file oid NOT NULL,  -- Its file: another one when it was rewritten (VACUUM FULL), or emptied and filled.
    system_identifier text,  -- The server's; NULL = it wasn't permitted to ask for it.
    timeline integer,  -- The server's: another one after a promotion. NULL as above.
    server_start timestamp with time zone NOT NULL  -- When the server was started.
);
ALTER TABLE ONLY contact_sync.state_identity ADD CONSTRAINT state_identity_pkey PRIMARY KEY (sync_id);
ALTER TABLE ONLY contact_sync.state_identity ADD CONSTRAINT state_identity_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES contact_sync.sync(sync_id);

-- Who gets no mail from SendGrid, and why; only of syncs whose definition says `suppressions`.
CREATE TABLE contact_sync.suppression (
    sync_id smallint NOT NULL,
    email text NOT NULL,  -- The address, in lower case.
    kind text NOT NULL,  -- unsubscribe (from everything), group_unsubscribe, spam_report, invalid, bounce or block.
    group_id integer DEFAULT 0 NOT NULL,  -- SendGrid's unsubscribe group; 0 = of no group.
    email_hash bigint NOT NULL,  -- Hash of the address, as in the ledger; 0 = no valid one.
    since timestamp with time zone,  -- Since when, as SendGrid says; NULL = it doesn't.
    first_seen timestamp with time zone NOT NULL,  -- When a run read it first; anew if it had been lifted in between.
    seen_at timestamp with time zone NOT NULL,  -- When a reading of everything, or the first one, has shown it last.
    missed boolean DEFAULT false NOT NULL,  -- The last reading of everything didn't show it: if the next one doesn't either, it is lifted.
    gone_at timestamp with time zone,  -- When two readings in a row didn't show it: it was lifted at SendGrid; NULL = it is in force.
    CONSTRAINT suppression_kind CHECK ((kind = ANY (ARRAY['unsubscribe'::text, 'group_unsubscribe'::text, 'spam_report'::text, 'invalid'::text, 'bounce'::text, 'block'::text])))
);
ALTER TABLE ONLY contact_sync.suppression ADD CONSTRAINT suppression_pkey PRIMARY KEY (sync_id, email, kind, group_id);
CREATE INDEX suppression_in_force ON contact_sync.suppression USING btree (sync_id, kind, email_hash) WHERE (gone_at IS NULL);
CREATE INDEX suppression_lifted ON contact_sync.suppression USING btree (sync_id, gone_at) WHERE (gone_at IS NOT NULL);
CREATE INDEX suppression_news ON contact_sync.suppression USING btree (sync_id, first_seen);

-- Up to when each kind of suppression has been read.
CREATE TABLE contact_sync.suppression_reading (
    sync_id smallint NOT NULL,
    kind text NOT NULL,  -- As of suppression.
    read_to timestamp with time zone NOT NULL,  -- When the last finished reading began.
    whole_at timestamp with time zone  -- When the last reading of everything began; NULL = the next one reads everything.
);
ALTER TABLE ONLY contact_sync.suppression_reading ADD CONSTRAINT suppression_reading_pkey PRIMARY KEY (sync_id, kind);

-- Each sync that has run: its lease, watermark and mapping.
CREATE TABLE contact_sync.sync (
    sync_id smallint NOT NULL,
    name text NOT NULL,  -- The definition's name.
    epoch bigint DEFAULT 0 NOT NULL,  -- Fencing token: each lease raises it, older runs may not write.
    lease_holder text,  -- Who is at work, as text for people; NULL = no one.
    lease_until timestamp with time zone,  -- When the lease ends by itself; each step renews it.
    watermark jsonb,  -- The snapshot up to which B2CORE has been read.
    mapping_version text,  -- Of the last finished run; when it changes, the next run is a full one.
    fields text[] DEFAULT '{}'::text[] NOT NULL,  -- SendGrid fields ever mapped; position = bit in filled masks.
    last_full_at timestamp with time zone,  -- When the last full run finished, see `full_every_hours`.
    destination jsonb,  -- List and fields of the last finished run, to tell what changed at SendGrid.
    life uuid DEFAULT gen_random_uuid() NOT NULL,  -- Chosen at random when the row was made: a mark tells by it of which state database it is.
    unproven text,  -- Why the ledger isn't believed, a code; NULL = it is. Until a run has sent everything again.
    unproven_since timestamp with time zone,  -- When a run noticed it.
    has_forgotten boolean DEFAULT false NOT NULL,  -- Requests may be on their way of which this database knows nothing any more.
    erasures_lost integer DEFAULT 0 NOT NULL,  -- How many erasures the state database has lost for good, by a person's word: runs go on without them.
    CONSTRAINT sync_unproven CHECK (((num_nulls(unproven, unproven_since) = ANY (ARRAY[0, 2])) AND (unproven = ANY (ARRAY['state_went_back'::text, 'state_restored'::text, 'state_moved'::text, 'state_restarted'::text]))))
);
ALTER TABLE contact_sync.sync ALTER COLUMN sync_id ADD GENERATED ALWAYS AS IDENTITY ( SEQUENCE NAME contact_sync.sync_sync_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1 );
ALTER TABLE ONLY contact_sync.sync ADD CONSTRAINT sync_name_key UNIQUE (name);
ALTER TABLE ONLY contact_sync.sync ADD CONSTRAINT sync_pkey PRIMARY KEY (sync_id);

-- Clients with whom a person has something to do: rejected, excluded, held; values that don't fit, or are stale.
CREATE VIEW contact_sync.to_do AS
 SELECT ledger.sync_id,
    ledger.client_id,
    'rejected'::text AS what,
    ledger.field,
    ledger.reason,
    ledger.detail,
    ledger.rejected_since AS since,
    (ledger.tries)::integer AS tries
   FROM contact_sync.ledger
  WHERE (ledger.state = 'rejected'::text)
UNION ALL
 SELECT dropped_value.sync_id,
    dropped_value.client_id,
    'dropped'::text AS what,
    dropped_value.field,
    dropped_value.reason,
    NULL::text AS detail,
    dropped_value.since,
    NULL::integer AS tries
   FROM contact_sync.dropped_value
UNION ALL
 SELECT ledger.sync_id,
    ledger.client_id,
    'excluded'::text AS what,
    NULL::text AS field,
    ledger.reason,
    ledger.detail,
    ledger.updated_at AS since,
    NULL::integer AS tries
   FROM contact_sync.ledger
  WHERE (ledger.state = 'excluded'::text)
UNION ALL
 SELECT l.sync_id,
    l.client_id,
    'stale'::text AS what,
    f.name AS field,
    NULL::text AS reason,
    NULL::text AS detail,
    l.updated_at AS since,
    NULL::integer AS tries
   FROM ((contact_sync.ledger l
     JOIN contact_sync.sync s ON ((l.sync_id = s.sync_id)))
     CROSS JOIN LATERAL unnest(s.fields) WITH ORDINALITY f(name, "position"))
  WHERE ((l.stale <> 0) AND (((l.stale >> ((f."position" - 1))::integer) & (1)::bigint) = 1))
UNION ALL
 SELECT s.sync_id,
    c.client_id,
    'held'::text AS what,
    NULL::text AS field,
    NULL::text AS reason,
    NULL::text AS detail,
    r.started_at AS since,
    NULL::integer AS tries
   FROM ((contact_sync.sync s
     CROSS JOIN LATERAL ( SELECT n.run_id,
            n.started_at,
            n.snapshot
           FROM contact_sync.run n
          WHERE ((n.sync_id = s.sync_id) AND (n.state = 'succeeded'::text) AND (NOT n.dry_run) AND (n.only_clients IS NULL))
          ORDER BY n.run_id DESC
         LIMIT 1) r)
     JOIN contact_sync.change c ON ((r.run_id = c.run_id)))
  WHERE ((c.kind = 'absent'::text) AND (((r.snapshot ->> 'held'::text))::integer > 0));

-- Who was erased and must not come back, as keyed hashes.
CREATE TABLE contact_sync.tombstone (
    erasure_id text NOT NULL,
    kind text NOT NULL,  -- address, of every sync; client: an id, of one sync.
    sync_name text,  -- The sync whose client it is; NULL = an address.
    tag bigint NOT NULL,  -- What whole columns are compared by: the address's hash as the ledger has it, or the keyed one of the id.
    mac bytea NOT NULL,  -- HMAC-SHA256 of the address, or of the id as text.
    key_id text NOT NULL,  -- Tells with which key mac was made; and tag, while there is no hash_key.
    CONSTRAINT tombstone_kind CHECK ((kind = ANY (ARRAY['address'::text, 'client'::text]))),
    CONSTRAINT tombstone_sync CHECK (((sync_name IS NULL) = (kind = 'address'::text)))
);
CREATE UNIQUE INDEX tombstone_once ON contact_sync.tombstone USING btree (erasure_id, kind, COALESCE(sync_name, ''::text), tag, key_id);
ALTER TABLE ONLY contact_sync.tombstone ADD CONSTRAINT tombstone_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES contact_sync.erasure(erasure_id);

-- Each verification: when both sides were read, what was compared, how it came out: a certificate.
CREATE TABLE contact_sync.verification (
    verification_id bigint NOT NULL,
    sync_id smallint NOT NULL,
    state text DEFAULT 'running'::text NOT NULL,  -- running, succeeded (whatever it found) or failed.
    attempt integer DEFAULT 1 NOT NULL,  -- Fencing token: whoever continues a verification raises it, and the one before may not write.
    holder text NOT NULL,  -- The DAG run, or the process on the command line, that works for it.
    reason text,  -- What the person said who started it.
    definition_hash text NOT NULL,  -- Of the definition it began with; an edited one begins another verification.
    destination jsonb NOT NULL,  -- List and fields, by id, that are compared.
    export_id text,  -- SendGrid's id of the export of all contacts.
    list_export_id text,  -- SendGrid's id of the export of the list: the other one doesn't tell who is on it. NULL = the sync has no list.
    export_status text,  -- SendGrid's last word: pending, ready, failure.
    export_hash text,  -- SHA-256 over the files as they were downloaded, in order; NULL = the account's side isn't loaded yet.
    snapshot jsonb,  -- The moment at which B2CORE was read; NULL = its side isn't loaded yet.
    compared_at timestamp with time zone,  -- When both sides were joined; what differed is looked at again.
    counts jsonb,  -- By verdict: how many clients or contacts; what was read and compared.
    fields jsonb,  -- By field of SendGrid's: in how many contacts it differs.
    sendgrid_digest text,  -- Of the account's contacts, in whatever order: equal digests of two verifications, equal contents.
    b2core_digest text,  -- The same of what B2CORE calls for.
    cause text,  -- Why it failed, in one sentence.
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    ordered_at timestamp with time zone,  -- When the export was ordered.
    read_at timestamp with time zone,  -- When it began to read B2CORE, by the clock of this server.
    finished_at timestamp with time zone,
    rebuilds boolean DEFAULT false NOT NULL,  -- The ledger is filled from it.
    rebuilt bigint,  -- How many clients the ledger took from it as confirmed; NULL = none yet, or it was no rebuild.
    unequal_contacts bigint,  -- How many contacts the account's side stores while it is under way: those that no client calls for as they are.
    CONSTRAINT verification_end CHECK ((((finished_at IS NULL) = (state = 'running'::text)) AND ((cause IS NULL) OR (state = 'failed'::text)))),
    CONSTRAINT verification_export CHECK ((export_status = ANY (ARRAY['pending'::text, 'ready'::text, 'failure'::text]))),
    CONSTRAINT verification_state CHECK ((state = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text])))
);
ALTER TABLE contact_sync.verification ALTER COLUMN verification_id ADD GENERATED ALWAYS AS IDENTITY ( SEQUENCE NAME contact_sync.verification_verification_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1 );
ALTER TABLE ONLY contact_sync.verification ADD CONSTRAINT verification_pkey PRIMARY KEY (verification_id);
CREATE INDEX verification_by_sync ON contact_sync.verification USING btree (sync_id, verification_id DESC);
CREATE UNIQUE INDEX verification_running ON contact_sync.verification USING btree (sync_id) WHERE (state = 'running'::text);
ALTER TABLE ONLY contact_sync.verification ADD CONSTRAINT verification_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES contact_sync.sync(sync_id);

-- B2CORE's side of a verification that is under way: what a client calls for, as hashes.
CREATE UNLOGGED TABLE contact_sync.verify_client (
    verification_id bigint NOT NULL,
    client_id bigint NOT NULL,
    email_hash bigint NOT NULL,  -- Hash of its address; 0 = none.
    calls_for text NOT NULL,  -- contact, or why not: rejected, excluded, shared, removed_by_hand; moved = its address changed while it was read.
    waits boolean NOT NULL,  -- A run that is under way, or the next one, sends it.
    left_out bigint NOT NULL,  -- Fields in which SendGrid may hold anything: it refused the value, or can't clear it; by position in the mapping.
    row_hash bigint NOT NULL,  -- Hash of the address and all values as they would be sent, as in the ledger.
    CONSTRAINT verify_client_calls_for CHECK ((calls_for = ANY (ARRAY['contact'::text, 'rejected'::text, 'excluded'::text, 'shared'::text, 'removed_by_hand'::text, 'moved'::text])))
);

-- Of the account's side of a verification that is under way: the contacts that no client calls for as they are.
CREATE UNLOGGED TABLE contact_sync.verify_contact (
    verification_id bigint NOT NULL,
    email_hash bigint NOT NULL,  -- Hash of the address, as in the ledger.
    on_list boolean NOT NULL,  -- Whether it is on the sync's list; without a list: true.
    updated_at timestamp with time zone,  -- When it changed last, as SendGrid says.
    field_hashes bytea NOT NULL,  -- For each mapped field 8 bytes, in mapping order: a hash of what the value means, zeros = none.
    unclear bigint NOT NULL,  -- Fields whose value is no number or date, by position in the mapping.
    email text,  -- Only of contacts on the list that the ledger doesn't know.
    is_called_for boolean NOT NULL,  -- Whether a client calls for a contact of this address.
    row_hash bigint NOT NULL  -- As of verify_client, of what the contact holds; 0 = there are several contacts of the address.
);

-- Of B2CORE's side: the clients that call for a contact which isn't there, or not exactly so.
CREATE UNLOGGED TABLE contact_sync.verify_unequal (
    verification_id bigint NOT NULL,
    client_id bigint NOT NULL,
    field_hashes bytea,  -- As of verify_contact, of what the client calls for; NULL = there is no contact, or B2CORE's row has changed.
    has_moved boolean NOT NULL  -- B2CORE's row has changed since its side was read: a run has to see it.
);

-- Of a verification that is under way: each client of verify_unequal, with the contact of its address.
CREATE VIEW contact_sync.verify_pair AS
 SELECT u.verification_id,
    u.client_id,
    c.email_hash,
    (c.waits OR u.has_moved) AS waits,
    c.row_hash AS called_hash,
    u.field_hashes AS called_for,
    c.left_out,
    a.row_hash AS held_hash,
    a.field_hashes AS held,
    a.unclear,
    a.updated_at,
    (a.email_hash IS NOT NULL) AS has_contact,
    COALESCE(a.on_list, false) AS on_list
   FROM ((contact_sync.verify_unequal u
     JOIN contact_sync.verify_client c ON (((u.verification_id = c.verification_id) AND (u.client_id = c.client_id))))
     LEFT JOIN contact_sync.verify_contact a ON (((c.verification_id = a.verification_id) AND (c.email_hash = a.email_hash) AND a.is_called_for)));

-- Of a rebuild that is under way: what the ledger will say of a client whose contact is equal.
CREATE UNLOGGED TABLE contact_sync.verify_proof (
    verification_id bigint NOT NULL,
    client_id bigint NOT NULL,
    email text NOT NULL,
    email_hash bigint NOT NULL,
    row_hash bigint NOT NULL,
    filled bigint NOT NULL,
    person_hash bigint NOT NULL
);

-- What the watch of each sync saw last in B2CORE; only of syncs with `schedule: changes`.
CREATE TABLE contact_sync.watch (
    sync_id smallint NOT NULL,
    state text NOT NULL,  -- By what it learns of changes, a code; failed = one of the databases can't be asked.
    why text,  -- Why counts of rows written can't be used, a code; NULL = they can.
    detail text,  -- The names that why is about, or the error.
    looked_at timestamp with time zone DEFAULT now() NOT NULL,  -- The last look that was written down; each half minute one is.
    moved_at timestamp with time zone,  -- The last change that began a run.
    tables text[] DEFAULT '{}'::text[] NOT NULL,  -- The tables of that change; empty = it was notified.
    CONSTRAINT watch_state CHECK ((state = ANY (ARRAY['counts'::text, 'notify'::text, 'nothing'::text, 'failed'::text])))
);
ALTER TABLE ONLY contact_sync.watch ADD CONSTRAINT watch_pkey PRIMARY KEY (sync_id);
ALTER TABLE ONLY contact_sync.watch ADD CONSTRAINT watch_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES contact_sync.sync(sync_id) ON DELETE CASCADE;
