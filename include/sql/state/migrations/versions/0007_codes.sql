-- Reasons and outcomes are codes (base/vocabulary.py), with their details and numbers beside them; texts of earlier
-- versions are turned into codes.

ALTER TABLE contact_sync.ledger ADD COLUMN detail text;
ALTER TABLE contact_sync.batch ADD COLUMN numbers jsonb;
ALTER TABLE contact_sync.run ADD COLUMN kind_detail text;
COMMENT ON COLUMN contact_sync.ledger.detail
IS 'The reason in the words of others: SendGrid''s of a refusal, B2CORE''s of an exclusion.';
COMMENT ON COLUMN contact_sync.batch.numbers IS 'The numbers that belong to the outcome.';
COMMENT ON COLUMN contact_sync.run.kind_detail IS 'Since when, or after how many hours: what belongs to kind_reason.';

-- SendGrid's refusals: code, then detail.
CREATE FUNCTION pg_temp.refusal(said text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN said IN ('SendGrid: refused, no reason given', 'SendGrid: refused') THEN ARRAY['refused_by_sendgrid', NULL]
    WHEN said = 'SendGrid: its import failed' THEN ARRAY['import_failed', NULL]
    WHEN said LIKE 'SendGrid: not applied as sent%' THEN ARRAY['never_applied', NULL]
    WHEN said = 'SendGrid: other reasons' THEN ARRAY['other_refusals', NULL]
    WHEN said LIKE 'SendGrid: %' THEN ARRAY['refused_by_sendgrid', substr(said, 11)]
END
$$;

CREATE FUNCTION pg_temp.outcome(said text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN said ~ '^\d+ confirmed, \d+ rejected' THEN 'applied'
    WHEN said ~ '^\d+ removed$' THEN 'removed'
    WHEN said ~ '^\d+ taken off the list$' THEN 'unlisted'
    WHEN said ~ '^\d+ of \d+ deletions counted' THEN 'deletions_unclear'
    WHEN said LIKE 'not removed;%' THEN 'not_removed'
    WHEN said LIKE 'not found yet%' THEN 'not_found_yet'
    WHEN said = 'nothing left to send' THEN 'nothing_left'
    WHEN said = 'all refused' THEN 'all_refused'
    WHEN said = 'job_failed, sent again' THEN 'sent_again'
    WHEN said = 'split in halves' THEN 'split'
    WHEN said = 'job_failed, one contact' THEN 'failed_alone'
    WHEN said = '1 rejected' THEN 'rejected_alone'
    WHEN said = 'nothing there' THEN 'nothing_there'
    WHEN said = 'the list is gone' THEN 'list_gone'
    WHEN said = 'SendGrid doesn''t search these addresses' THEN 'unsearchable'
    WHEN said IN (
        'applied', 'nothing_left', 'all_refused', 'sent_again', 'split', 'failed_alone', 'rejected_alone', 'removed',
        'unlisted', 'not_removed', 'deletions_unclear', 'nothing_there', 'list_gone', 'not_found_yet', 'unsearchable',
        'fate_unknown', 'job_unknown_to_sendgrid', 'job_never_ended', 'upload_never_arrived', 'not_applied',
        'errors_file_unclear', 'job_failed'
    ) THEN said
END
$$;

CREATE FUNCTION pg_temp.numbers(said text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT CASE pg_temp.outcome(said)
    WHEN 'applied' THEN jsonb_build_object(
        'confirmed', substring(said FROM '^(\d+) confirmed')::bigint,
        'rejected', substring(said FROM '(\d+) rejected')::bigint,
        'not_applied', coalesce(substring(said FROM '(\d+) not applied')::bigint, 0)
    )
    WHEN 'removed' THEN jsonb_build_object('removed', substring(said FROM '^(\d+)')::bigint)
    WHEN 'unlisted' THEN jsonb_build_object('removed', substring(said FROM '^(\d+)')::bigint)
    WHEN 'deletions_unclear' THEN jsonb_build_object(
        'deleted', substring(said FROM '^(\d+) of')::bigint,
        'contacts', substring(said FROM 'of (\d+) deletions')::bigint
    )
END
$$;

-- Keys of reports: "field: code: detail".
CREATE FUNCTION pg_temp.refused(found jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(jsonb_object_agg(why, n), '{}')
FROM (
    SELECT
        CASE
            WHEN key = 'refused by SendGrid, unchanged since' THEN 'contact: refused_before'
            WHEN key ~ '^(contact: )?SendGrid: '
                THEN 'contact: ' || array_to_string(pg_temp.refusal(regexp_replace(key, '^contact: ', '')), ': ')
            ELSE key
        END AS why,
        sum(value::bigint) AS n
    FROM jsonb_each_text(found)
    GROUP BY 1
) AS counted
$$;

CREATE FUNCTION pg_temp.excluded(found jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(jsonb_object_agg(
    CASE
        WHEN key IN ('shared_address', 'excluded_address') OR starts_with(key, 'excluded_by_b2core') THEN key
        ELSE 'excluded_by_b2core: ' || key
    END, value
), '{}')
FROM jsonb_each(found)
$$;

CREATE FUNCTION pg_temp.above_limits(found jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(jsonb_agg(CASE
    WHEN jsonb_typeof(what) = 'object' THEN what
    ELSE jsonb_build_object(
        'limit', CASE WHEN what #>> '{}' LIKE '%changed%' THEN 'changes' ELSE 'removals' END,
        'n', substring(what #>> '{}' FROM '^(\d+)')::bigint,
        'allowed', substring(what #>> '{}' FROM '(\d+)$')::bigint
    )
END ORDER BY number), '[]')
FROM jsonb_array_elements(found) WITH ORDINALITY AS item (what, number)
$$;

CREATE FUNCTION pg_temp.degraded(found jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(jsonb_object_agg(
    CASE
        WHEN said LIKE '%rejected' THEN 'rejected'
        WHEN said LIKE '%are pending%' THEN 'pending'
        WHEN said LIKE '%hold values%' THEN 'stale'
        WHEN said LIKE '%absent clients%' THEN 'absences_held'
        WHEN said LIKE '%could not be removed%' THEN 'removals_open'
        ELSE 'removals_impossible'
    END, substring(said FROM '^(\d+)')::bigint
), '{}')
FROM jsonb_array_elements_text(found) AS item (said)
$$;

CREATE FUNCTION pg_temp.jobs(found jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(jsonb_agg(
    jsonb_build_object('numbers', pg_temp.numbers(job ->> 'outcome'))
    || job || jsonb_build_object('outcome', pg_temp.outcome(job ->> 'outcome')) ORDER BY number
), '[]')
FROM jsonb_array_elements(found) WITH ORDINALITY AS item (job, number)
$$;

CREATE FUNCTION pg_temp.counts(found jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT found
    || CASE WHEN found ? 'rejections' THEN jsonb_build_object('rejections', pg_temp.refused(found -> 'rejections'))
        ELSE '{}' END
    || CASE WHEN found ? 'exclusions' THEN jsonb_build_object('exclusions', pg_temp.excluded(found -> 'exclusions'))
        ELSE '{}' END
    || CASE WHEN found ? 'above_limits'
        THEN jsonb_build_object('above_limits', pg_temp.above_limits(found -> 'above_limits')) ELSE '{}' END
$$;

UPDATE contact_sync.ledger SET reason = (pg_temp.refusal(reason))[1], detail = (pg_temp.refusal(reason))[2]
WHERE state = 'rejected' AND reason LIKE 'SendGrid: %';

UPDATE contact_sync.ledger SET reason = 'invalid', detail = reason
WHERE
    state = 'rejected'
    AND coalesce(reason NOT IN (
        'missing', 'invalid', 'too_long', 'not_a_number', 'not_a_date', 'refused_by_sendgrid', 'import_failed',
        'never_applied'
    ), TRUE);

UPDATE contact_sync.ledger SET reason = 'excluded_by_b2core', detail = reason
WHERE
    state = 'excluded'
    AND coalesce(reason NOT IN ('excluded_by_b2core', 'excluded_address'), TRUE);

UPDATE contact_sync.ledger SET reason = 'fate_unknown', detail = reason
WHERE
    state = 'pending'
    AND coalesce(reason NOT IN (
        'changed_while_read', 'gone_while_read', 'changed_since_read', 'suppression_unknown',
        'suppression_not_carried', 'fate_unknown', 'job_unknown_to_sendgrid', 'job_never_ended',
        'upload_never_arrived', 'not_applied', 'errors_file_unclear', 'job_failed'
    ), TRUE);

UPDATE contact_sync.batch SET outcome = pg_temp.outcome(outcome), numbers = pg_temp.numbers(outcome)
WHERE outcome IS NOT NULL AND numbers IS NULL;

UPDATE contact_sync.run SET kind_reason = 'changes_since', kind_detail = substr(kind_reason, 15)
WHERE kind_reason LIKE 'changes since %';

UPDATE contact_sync.run SET kind_reason = 'full_run_due', kind_detail = substring(kind_reason FROM '(\d+) hours')
WHERE kind_reason LIKE 'the last full run is older than %';

UPDATE contact_sync.run AS r SET kind_reason = code.code
FROM (
    VALUES
    ('asked for', 'asked_for'),
    ('first load', 'first_load'),
    ('the mapping, the list or a field id changed', 'mapping_changed'),
    ('B2CORE''s server was replaced, restored or failed over', 'server_replaced'),
    ('the change detection was switched', 'detection_switched'),
    ('the last run is too long ago for xmin', 'xmin_too_old')
) AS code (said, code)
WHERE r.kind_reason = code.said;

UPDATE contact_sync.run SET kind_reason = 'asked_for', kind_detail = kind_reason
WHERE
    kind_reason NOT IN (
        'asked_for', 'first_load', 'mapping_changed', 'server_replaced', 'detection_switched', 'xmin_too_old',
        'full_run_due', 'changes_since'
    );

UPDATE contact_sync.run SET cause = NULL
WHERE cause = 'A task failed: the first red task of this DAG run says why';

UPDATE contact_sync.run SET plan = pg_temp.counts(plan)
WHERE plan IS NOT NULL;

UPDATE contact_sync.slice SET counts = pg_temp.counts(counts)
WHERE counts IS NOT NULL;

UPDATE contact_sync.run SET approval = jsonb_set(approval, '{why}', pg_temp.above_limits(approval -> 'why'))
WHERE approval ? 'why';

UPDATE contact_sync.run SET result = result || jsonb_build_object('refused', pg_temp.refused(result -> 'refused'))
WHERE result ? 'refused';

UPDATE contact_sync.run SET result = result || jsonb_build_object('degraded', pg_temp.degraded(result -> 'degraded'))
WHERE jsonb_typeof(result -> 'degraded') = 'array';

UPDATE contact_sync.run SET result = result || jsonb_build_object('jobs', pg_temp.jobs(result -> 'jobs'))
WHERE result ? 'jobs';

DROP INDEX contact_sync.ledger_rejected_reasons;
CREATE INDEX ledger_rejected_reasons ON contact_sync.ledger (sync_id, field, reason, client_id) INCLUDE (detail)
WHERE state = 'rejected';

-- Nothing but these codes can be stored; a test compares them with base/vocabulary.py. Whether there is a reason at all
-- is part of what a fate promises.
ALTER TABLE contact_sync.ledger ADD CONSTRAINT ledger_reason CHECK (
    (detail IS NULL OR reason IS NOT NULL)
    AND CASE state
        WHEN 'pending'
            THEN reason IN (
                'changed_while_read', 'gone_while_read', 'changed_since_read', 'suppression_unknown',
                'suppression_not_carried', 'fate_unknown', 'job_unknown_to_sendgrid', 'job_never_ended',
                'upload_never_arrived', 'not_applied', 'errors_file_unclear', 'job_failed'
            )
        WHEN 'rejected'
            THEN reason IN (
                'missing', 'invalid', 'too_long', 'not_a_number', 'not_a_date', 'refused_by_sendgrid',
                'import_failed', 'never_applied'
            )
        WHEN 'excluded' THEN reason IN ('excluded_by_b2core', 'excluded_address')
        ELSE TRUE
    END
);
ALTER TABLE contact_sync.batch ADD CONSTRAINT batch_outcome CHECK (outcome IN (
    'applied', 'nothing_left', 'all_refused', 'sent_again', 'split', 'failed_alone', 'rejected_alone', 'removed',
    'unlisted', 'not_removed', 'deletions_unclear', 'nothing_there', 'list_gone', 'not_found_yet', 'unsearchable',
    'fate_unknown', 'job_unknown_to_sendgrid', 'job_never_ended', 'upload_never_arrived', 'not_applied',
    'errors_file_unclear', 'job_failed'
));
ALTER TABLE contact_sync.run ADD CONSTRAINT run_kind_reason CHECK (kind_reason IN (
    'asked_for', 'first_load', 'mapping_changed', 'server_replaced', 'detection_switched', 'xmin_too_old',
    'full_run_due', 'changes_since'
));
