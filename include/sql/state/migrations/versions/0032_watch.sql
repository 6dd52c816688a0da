-- What the watch of a sync with `schedule: changes` sees, for people.
CREATE TABLE contact_sync.watch (
    sync_id smallint PRIMARY KEY REFERENCES contact_sync.sync (sync_id) ON DELETE CASCADE,
    state text NOT NULL CONSTRAINT watch_state CHECK (state IN ('counts', 'notify', 'nothing', 'failed')),
    why text,
    detail text,
    looked_at timestamptz NOT NULL DEFAULT now(),
    moved_at timestamptz,
    tables text[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE contact_sync.watch
IS 'What the watch of each sync saw last in B2CORE; only of syncs with `schedule: changes`.';
COMMENT ON COLUMN contact_sync.watch.state
IS 'By what it learns of changes, a code; failed = one of the databases can''t be asked.';
COMMENT ON COLUMN contact_sync.watch.why IS 'Why counts of rows written can''t be used, a code; NULL = they can.';
COMMENT ON COLUMN contact_sync.watch.detail IS 'The names that why is about, or the error.';
COMMENT ON COLUMN contact_sync.watch.looked_at IS 'The last look that was written down; each half minute one is.';
COMMENT ON COLUMN contact_sync.watch.moved_at IS 'The last change that began a run.';
COMMENT ON COLUMN contact_sync.watch.tables IS 'The tables of that change; empty = it was notified.';
