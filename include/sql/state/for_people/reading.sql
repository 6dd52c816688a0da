-- state/for_people/reading.py; only reads.

-- one_moment --
-- The whole transaction sees the same; has to come first. (sqlfluff doesn't know SET TRANSACTION.)
SET LOCAL transaction_isolation = 'repeatable read';

-- read_only --
SET LOCAL transaction_read_only = TRUE;

-- give_up_after --
-- seconds: as text, with the unit. Of each statement, until the end of the transaction.
SELECT set_config('statement_timeout', %(seconds)s, TRUE);
