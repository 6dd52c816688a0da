-- Why a run is full: rows were deleted before those of each client had been counted.
ALTER TABLE contact_sync.run DROP CONSTRAINT run_kind_reason;
ALTER TABLE contact_sync.run ADD CONSTRAINT run_kind_reason CHECK (kind_reason IN (
    'asked_for', 'first_load', 'mapping_changed', 'server_replaced', 'server_restarted', 'tables_replaced',
    'detection_switched', 'xmin_too_old', 'full_run_due', 'changes_since', 'state_went_back', 'state_restored',
    'state_moved', 'state_restarted', 'statements_changed', 'trial', 'rows_deleted'
));
