-- What the pages in Airflow's UI ask for: a DAG run's runs, and the few rejected clients among many.

CREATE INDEX run_by_holder ON contact_sync.run (sync_id, holder text_pattern_ops);
CREATE INDEX ledger_rejected_reasons ON contact_sync.ledger (sync_id, field, reason, client_id)
WHERE state = 'rejected';
