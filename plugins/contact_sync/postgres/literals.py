"""SQL made of values, for statements that take no bound parameters: COPY, which ADBC reads by."""

from __future__ import annotations

import numpy as np
from psycopg import sql

TRANSACTION_LIMIT, SINCE = "transaction_timeout", 170_000
"""PostgreSQL 17 (server_version_num) has it, earlier ones refuse its name."""


def literal(value: object) -> str:
    """A value as psycopg quotes it; an array of ids as one text, to be cast to `bigint[]`."""
    if isinstance(value, np.ndarray):  # psycopg looks at each number, which takes five times longer
        value = "{" + ",".join(map(str, value.tolist())) + "}"
    return sql.Literal(value).as_string(None)


def settings_of_transaction(settings: dict[str, str]) -> str:
    """One query that sets them until the transaction ends, and takes the limit of the transaction
    that role or database may set: each statement has its own, and so has each pause."""
    calls = [f"set_config({literal(k)}, {literal(v)}, true)" for k, v in settings.items()]
    name = literal(TRANSACTION_LIMIT)
    is_known = f"current_setting({name}, true) IS NOT NULL"
    calls.append(f"CASE WHEN {is_known} THEN set_config({name}, '0', true) END")
    return f"SELECT {', '.join(calls)}"
