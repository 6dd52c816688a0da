"""SQL made of values, for statements that take no bound parameters: COPY, which ADBC reads by."""

from __future__ import annotations

import numpy as np
from psycopg import sql


def literal(value: object) -> str:
    """A value as psycopg quotes it; an array of ids as one text, to be cast to `bigint[]`."""
    if isinstance(value, np.ndarray):  # psycopg looks at each number, which takes five times longer
        value = "{" + ",".join(map(str, value.tolist())) + "}"
    return sql.Literal(value).as_string(None)


def settings_of_transaction(settings: dict[str, str]) -> str:
    """One query that sets them until the transaction ends."""
    calls = [f"set_config({literal(k)}, {literal(v)}, true)" for k, v in settings.items()]
    return f"SELECT {', '.join(calls)}"
