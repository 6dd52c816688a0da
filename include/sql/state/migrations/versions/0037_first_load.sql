-- Nearly all contacts clear nothing and take nothing over: COPY leaves these columns out then, as those that have a
-- default already (state/staging.py).
ALTER TABLE contact_sync.outbox ALTER COLUMN clears SET DEFAULT 0;
ALTER TABLE contact_sync.outbox ALTER COLUMN json_only SET DEFAULT FALSE;
ALTER TABLE contact_sync.outbox ALTER COLUMN takes_over SET DEFAULT FALSE;

-- They come compressed. PostgreSQL tries it all the same, at five times the cost of writing them.
ALTER TABLE contact_sync.slice ALTER COLUMN members SET STORAGE EXTERNAL;
ALTER TABLE contact_sync.row_count ALTER COLUMN counted SET STORAGE EXTERNAL;
