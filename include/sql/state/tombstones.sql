-- Who was erased and must not come back (state/tombstones.py).

-- in_force --
-- Those that concern a sync. Parameters: sync_name
SELECT
    t.erasure_id,
    t.kind,
    t.tag,
    t.key_id
FROM contact_sync.tombstone AS t
INNER JOIN contact_sync.erasure AS e ON t.erasure_id = e.erasure_id
WHERE
    e.lifted_at IS NULL
    AND (t.sync_name IS NULL OR t.sync_name = %(sync_name)s);

-- put_up --
INSERT INTO contact_sync.tombstone (erasure_id, kind, sync_name, tag, mac, key_id)
VALUES (%(erasure_id)s, %(kind)s, %(sync_name)s, %(tag)s, %(mac)s, %(key_id)s)
ON CONFLICT DO NOTHING;

-- put_up_here --
-- Parameters: sync_name; clients, addresses = tags of clients and, in the same order, of their addresses
INSERT INTO contact_sync.tombstone (erasure_id, kind, sync_name, tag, mac, key_id)
SELECT DISTINCT
    c.erasure_id,
    c.kind,
    %(sync_name)s,
    c.tag,
    c.mac,
    c.key_id
FROM unnest(%(clients)s::bigint[], %(addresses)s::bigint[]) AS seen (client, address)
INNER JOIN contact_sync.tombstone AS c ON c.tag = seen.client AND c.kind = 'client'
INNER JOIN contact_sync.tombstone AS a
    ON c.erasure_id = a.erasure_id AND a.tag = seen.address AND a.kind = 'address'
INNER JOIN contact_sync.erasure AS e ON c.erasure_id = e.erasure_id
WHERE e.lifted_at IS NULL
ON CONFLICT DO NOTHING;

-- follow_rename --
-- A sync goes on under another name, and with it its clients' tombstones and what was asked for in it; runs before the
-- sync gets it.
WITH asked AS (
    UPDATE contact_sync.erasure AS e SET sync_name = %(name)s
    FROM contact_sync.sync AS s
    WHERE s.sync_id = %(sync_id)s AND e.sync_name = s.name
)

UPDATE contact_sync.tombstone AS t SET sync_name = %(name)s
FROM contact_sync.sync AS s
WHERE s.sync_id = %(sync_id)s AND t.sync_name = s.name;

-- of_erasure --
SELECT
    kind,
    sync_name,
    tag,
    mac,
    key_id
FROM contact_sync.tombstone
WHERE erasure_id = %(erasure_id)s
ORDER BY kind, sync_name, mac;

-- with_macs --
-- The erasures that a person's address, or id, is one of. Parameters: macs
SELECT DISTINCT erasure_id
FROM contact_sync.tombstone
WHERE mac = any(%(macs)s)
ORDER BY erasure_id;
