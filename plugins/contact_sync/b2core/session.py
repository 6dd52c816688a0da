"""What a transaction in B2CORE's database begins with."""

from __future__ import annotations

from contact_sync.postgres.literals import settings_of_transaction

LOCK_SECONDS, IDLE_SECONDS = 10, 600
READ_ONLY = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


def settings(statement_seconds: int) -> str:
    """One statement that sets, for the transaction, what time-outs, plans and texts depend on,
    whatever database or role say. `pg_catalog` comes first: no function of it can be replaced."""
    given = {
        "statement_timeout": f"{statement_seconds}s",
        "lock_timeout": f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        "client_min_messages": "error",  # what functions say may hold values, and reaches logs
        "row_security": "off",  # the server then refuses what a policy would hide rows of
        "jit": "off",
        "work_mem": "4MB",  # more makes plans sort, not use indexes
        "TimeZone": "UTC",
        "DateStyle": "ISO, MDY",
        "IntervalStyle": "postgres",
        "bytea_output": "hex",
        "standard_conforming_strings": "on",
        "extra_float_digits": "1",
    }
    path = "'pg_catalog, ' || current_setting('search_path')"
    return f"{settings_of_transaction(given)}, set_config('search_path', {path}, true)"
