-- Why a run is a full one: the server was started again, or a table isn't the one of the last run.
ALTER TABLE contact_sync.run DROP CONSTRAINT run_kind_reason;
ALTER TABLE contact_sync.run ADD CONSTRAINT run_kind_reason CHECK (
    kind_reason IN (
        'asked_for', 'first_load', 'mapping_changed', 'server_replaced', 'server_restarted', 'tables_replaced',
        'detection_switched', 'xmin_too_old', 'full_run_due', 'changes_since'
    )
);
