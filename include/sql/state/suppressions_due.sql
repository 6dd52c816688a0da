-- Addresses to be unsubscribed from everything, because B2CORE has excluded their clients (state/suppressions_due.py).

-- forget_moot --
-- What SendGrid has shown, once the contact isn't to be removed any more; and what is no withdrawn consent any more:
-- its client isn't excluded by B2CORE now, another client has the address, or another sync has the contact, whose
-- clients have said nothing. Index: suppression_due primary key; scans of the ledger, only when there are rows
WITH due AS (
    SELECT
        d.email,
        d.shown,
        d.email_hash,
        d.client_id
    FROM contact_sync.suppression_due AS d
    WHERE d.sync_id = %(sync_id)s
),

excluded AS (
    SELECT
        x.client_id,
        x.email_hash
    FROM contact_sync.excluded_by_b2core AS x
    WHERE
        x.sync_id = %(sync_id)s
        AND (
            x.client_id IN (SELECT d.client_id FROM due AS d)
            OR x.email_hash IN (SELECT d.email_hash FROM due AS d)
        )
),

others AS (
    SELECT h.contact_hash AS email_hash FROM contact_sync.address_holder AS h
    WHERE h.sync_id <> %(sync_id)s AND h.contact_hash IN (SELECT d.email_hash FROM due AS d)
),

taken AS (
    SELECT h.email_hash FROM contact_sync.address_holder AS h
    WHERE h.sync_id = %(sync_id)s AND h.email_hash IN (SELECT d.email_hash FROM due AS d)
    UNION ALL
    SELECT o.email_hash FROM contact_sync.staged_client AS o
    WHERE o.run_id = %(run_id)s AND o.email_hash IN (SELECT d.email_hash FROM due AS d)
),

leaving AS (
    SELECT a.email FROM contact_sync.removal AS a
    WHERE a.sync_id = %(sync_id)s AND a.why = 'excluded' AND NOT a.kept
)

DELETE FROM contact_sync.suppression_due AS m
USING due AS d
WHERE
    m.sync_id = %(sync_id)s
    AND m.email = d.email
    AND (
        (d.shown AND d.email NOT IN (SELECT x.email FROM leaving AS x))
        OR (NOT d.shown AND d.email_hash IN (SELECT x.email_hash FROM others AS x))
        OR (
            NOT d.shown
            AND d.email_hash NOT IN (SELECT x.email_hash FROM excluded AS x)
            AND (
                d.email_hash IN (SELECT x.email_hash FROM taken AS x)
                OR d.client_id NOT IN (SELECT x.client_id FROM excluded AS x)
            )
        )
    );

-- note --
-- Index: as new_suppression_due
INSERT INTO contact_sync.suppression_due (sync_id, email, email_hash, client_id)
SELECT
    n.sync_id,
    n.email,
    n.email_hash,
    n.client_id
FROM contact_sync.new_suppression_due AS n
WHERE n.sync_id = %(sync_id)s
ON CONFLICT (sync_id, email) DO NOTHING;

-- count_new --
-- Index: as new_suppression_due
SELECT count(*) AS n FROM contact_sync.new_suppression_due AS n
WHERE n.sync_id = %(sync_id)s;

-- due --
-- Epoch second of noted_at, by the database's clock. Index: suppression_due primary key
SELECT
    email,
    email_hash,
    client_id,
    floor(extract(EPOCH FROM noted_at))::bigint AS noted
FROM contact_sync.suppression_due
WHERE sync_id = %(sync_id)s AND NOT shown
ORDER BY email;

-- see --
-- SendGrid shows that these are unsubscribed from everything.
UPDATE contact_sync.suppression_due
SET shown = TRUE
WHERE sync_id = %(sync_id)s AND email = any(%(emails)s);

-- count_due --
SELECT count(*) AS n FROM contact_sync.suppression_due
WHERE sync_id = %(sync_id)s AND NOT shown;

-- forget_all --
-- The definition doesn't ask for it any more, or the sync is gone.
DELETE FROM contact_sync.suppression_due
WHERE sync_id = %(sync_id)s;
