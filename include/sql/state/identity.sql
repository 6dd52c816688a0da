-- Whether the state database is the one that the last run left (state/identity.py).

-- look --
-- What the database has of a sync, and whether the row of evidence is the one that a run wrote here.
-- Parameters: sync_id; mark_run, mark_life = the run and the life that the mark names, or NULL; place = the kind of the
-- mark's place, or NULL
-- Columns: those of identity.Known; may_ask_server: the functions of the statement `server` are permitted
-- A row's xmin stays what it was when it is frozen or its table is rewritten by VACUUM FULL or CLUSTER. A file of the
-- ledger that is another one is one of these two, or was filled anew: then its rows are younger than the evidence.
-- Index: state_identity, sync and run primary keys, run_by_sync, run_marked
SELECT
    s.life::text AS life,
    s.watermark IS NOT NULL AS has_read,
    s.unproven,
    (
        SELECT max(r.run_id) FROM contact_sync.run AS r
        WHERE r.sync_id = %(sync_id)s AND NOT r.dry_run
    ) AS newest,
    exists(
        SELECT 1 FROM contact_sync.run AS r
        WHERE r.sync_id = %(sync_id)s AND r.mark_place = %(place)s
    ) AS is_marked,
    m.token AS mark_token,
    m.state = 'running' AS mark_is_open,
    (
        i.xmin = i.written_by::xid
        AND i.database_oid = (
            SELECT d.oid FROM pg_catalog.pg_database AS d
            WHERE d.datname = current_database()
        )
        AND i.run_oid = 'contact_sync.run'::regclass
        AND i.ledger_oid = 'contact_sync.ledger'::regclass
        AND CASE
            WHEN i.ledger_file = pg_relation_filenode('contact_sync.ledger') THEN TRUE
            ELSE NOT EXISTS (
                SELECT 1 FROM contact_sync.ledger AS l
                WHERE l.sync_id = s.sync_id AND age(l.xmin) < age(i.written_by::xid)
            )
        END
    ) AS is_whole,
    coalesce(i.server_start = pg_postmaster_start_time(), TRUE) AS same_start,
    f.name AS former_name,
    CASE
        WHEN f.sync_id IS NOT NULL THEN ( -- of no sync, all runs would be looked through
            SELECT max(r.run_id) FROM contact_sync.run AS r
            WHERE r.sync_id = f.sync_id AND NOT r.dry_run
        )
    END AS former_newest,
    i.system_identifier AS system_identifier_before,
    i.timeline AS timeline_before,
    (
        has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
        AND has_function_privilege('pg_catalog.pg_walfile_name(pg_lsn)', 'EXECUTE')
        AND has_function_privilege('pg_catalog.pg_current_wal_lsn()', 'EXECUTE')
    ) AS may_ask_server
FROM contact_sync.sync AS s
LEFT JOIN contact_sync.state_identity AS i ON s.sync_id = i.sync_id
LEFT JOIN contact_sync.run AS m ON m.run_id = %(mark_run)s::bigint
LEFT JOIN contact_sync.sync AS f ON f.life::text = %(mark_life)s AND s.sync_id <> f.sync_id
WHERE s.sync_id = %(sync_id)s;

-- server --
-- The timeline is that of the WAL being written: the control file learns of a promotion only with the next checkpoint.
SELECT
    c.system_identifier::text AS system_identifier,
    ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline
FROM pg_control_system() AS c;

-- write --
-- Parameters: sync_id; system_identifier and timeline, NULL = not to be known
INSERT INTO contact_sync.state_identity AS i (
    sync_id, written_by, database_oid, run_oid, ledger_oid, ledger_file, system_identifier, timeline, server_start
)
SELECT
    %(sync_id)s,
    pg_current_xact_id(),
    d.oid,
    'contact_sync.run'::regclass,
    'contact_sync.ledger'::regclass,
    pg_relation_filenode('contact_sync.ledger'),
    %(system_identifier)s,
    %(timeline)s,
    pg_postmaster_start_time()
FROM pg_catalog.pg_database AS d
WHERE d.datname = current_database()
ON CONFLICT (sync_id) DO UPDATE SET
    written_by = excluded.written_by,
    database_oid = excluded.database_oid,
    run_oid = excluded.run_oid,
    ledger_oid = excluded.ledger_oid,
    ledger_file = excluded.ledger_file,
    system_identifier = excluded.system_identifier,
    timeline = excluded.timeline,
    server_start = excluded.server_start;

-- renew --
-- At the end of a run. What has become of database and server meanwhile is left for the next run to see.
UPDATE contact_sync.state_identity
SET written_by = pg_current_xact_id()
WHERE sync_id = %(sync_id)s AND xmin = written_by::xid;

-- doubt --
UPDATE contact_sync.sync SET
    unproven = %(why)s,
    unproven_since = now(),
    has_forgotten = %(forgotten)s
WHERE sync_id = %(sync_id)s;

-- look_at_excluded_again --
-- Excluded clients may have been sent since the state that is known. Index: ledger_unconfirmed
UPDATE contact_sync.ledger SET off_list = NULL
WHERE
    sync_id = %(sync_id)s
    AND state = 'excluded'
    AND reason <> 'removed_by_hand'
    AND off_list IS NOT NULL;

-- look_at_removals_again --
-- A contact that isn't found may be too new for a search, as if it were noted now.
UPDATE contact_sync.removal SET
    noted_at = now(),
    tries = 0,
    tried_at = NULL
WHERE sync_id = %(sync_id)s AND NOT kept;

-- note_lost_again --
-- Clients without a valid address may have been sent since the state that is known. Index: ledger_unconfirmed
INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why)
SELECT
    sync_id,
    email,
    contact_hash,
    client_id,
    'address_lost'
FROM contact_sync.ledger
WHERE sync_id = %(sync_id)s AND state = 'rejected' AND field = 'email' AND email IS NOT NULL
ON CONFLICT (sync_id, email, list_id) DO NOTHING;

-- is_doubted --
SELECT unproven IS NOT NULL AS found
FROM contact_sync.sync
WHERE sync_id = %(sync_id)s;

-- seconds_since_forgotten --
SELECT CASE WHEN has_forgotten THEN extract(EPOCH FROM now() - unproven_since)::float END AS seconds
FROM contact_sync.sync
WHERE sync_id = %(sync_id)s;

-- leave_unproven --
-- Confirmed clients that the run hasn't sent, because B2CORE didn't hold them: the next run that sees one sends it.
-- Parameters: sync_id, run_id, reason; texts = mask of the Text fields. Index: none, one scan of the ledger
UPDATE contact_sync.ledger AS l SET
    state = 'pending',
    reason = %(reason)s,
    row_hash = NULL,
    updated_at = now()
WHERE
    l.sync_id = %(sync_id)s
    AND l.state = 'confirmed'
    AND NOT EXISTS (
        SELECT 1 FROM contact_sync.batch AS b
        WHERE b.batch_id = l.batch_id AND b.run_id = %(run_id)s
    );

-- widen --
-- Nobody knows what the contacts of clients hold that the run didn't confirm. Index: ledger_unconfirmed
UPDATE contact_sync.ledger SET filled = filled | %(texts)s::bigint
WHERE sync_id = %(sync_id)s AND state <> 'confirmed' AND email IS NOT NULL;

-- prove --
UPDATE contact_sync.sync SET
    unproven = NULL,
    unproven_since = NULL,
    has_forgotten = FALSE
WHERE sync_id = %(sync_id)s;
