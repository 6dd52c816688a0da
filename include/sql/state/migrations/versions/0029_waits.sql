-- What a run waits for that only its own process knows, for whoever looks at its page.
ALTER TABLE contact_sync.run
ADD COLUMN waits_until timestamptz,
ADD COLUMN waits_why text;
COMMENT ON COLUMN contact_sync.run.waits_until
IS 'When a call that SendGrid has turned away is tried again; in the past = none waits.';
COMMENT ON COLUMN contact_sync.run.waits_why IS 'Which call it is, and why it waits.';

ALTER TABLE contact_sync.batch ADD COLUMN asked_at timestamptz;
COMMENT ON COLUMN contact_sync.batch.asked_at
IS 'When SendGrid was last asked for the job and said that it isn''t over; NULL = not yet.';
