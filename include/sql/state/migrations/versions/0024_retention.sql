-- When the report of a run was deleted.
ALTER TABLE contact_sync.run ADD COLUMN report_gone_at timestamptz;
