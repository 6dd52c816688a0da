"""Values that SendGrid refused and that are left out until they change, by hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contact_sync.base.vocabulary import Refusal
from contact_sync.base.words import counted
from contact_sync.contacts.refused_values import LeftOut, Refused, RefusedValues
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import statements

SQL = statements.load("refused_values")
EVERYBODY = 3
"""Clients, from which on a field that SendGrid takes of none of them is at fault itself."""


def read(cursor: Cursor, sync_id: int, first_id: int, last_id: int) -> Refused:
    """Those of a range of clients, by field."""
    parameters = {"sync_id": sync_id, "first_id": first_id, "last_id": last_id}
    found: dict[str, list[tuple[int, int]]] = {}
    for row in many(cursor, SQL["read"], parameters):
        found.setdefault(row["field"], []).append((row["client_id"], row["value_hash"]))
    return {
        field: RefusedValues(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))
        for field, rows in found.items()
    }


def remember(cursor: Cursor, run: tuple[int, int], left_out: Sequence[LeftOut]) -> None:
    """The values that contacts are sent again without; `run` = (sync_id, run_id). They are in the
    list of dropped values from now on.
    """
    rows = [(o.client_id, *value, o.detail) for o in left_out for value in o.values.items()]
    if not rows:
        return
    clients, fields, hashes, details = (list(column) for column in zip(*rows, strict=True))
    cursor.execute(
        SQL["remember"],
        {
            "sync_id": run[0], "run_id": run[1], "clients": clients, "fields": fields,
            "value_hashes": hashes, "details": details,
        },
    )  # fmt: skip
    reason = str(Refusal.REFUSED_BY_SENDGRID)
    noted = {"sync_id": run[0], "clients": clients, "fields": fields, "reason": reason}
    cursor.execute(SQL["note_dropped"], noted)


def forget(cursor: Cursor, sync_id: int, replaced: Sequence[tuple[int, str]]) -> None:
    """These clients have another value in the field than the one that was refused, or none."""
    if replaced:
        clients, fields = (list(column) for column in zip(*replaced, strict=True))
        parameters = {"sync_id": sync_id, "clients": clients, "fields": fields}
        cursor.execute(SQL["forget"], parameters)


def forget_range(cursor: Cursor, sync_id: int, first_id: int, last_id: int) -> None:
    """All clients of the range are sent again with all they have, because a person wants it."""
    parameters = {"sync_id": sync_id, "first_id": first_id, "last_id": last_id}
    cursor.execute(SQL["forget_range"], parameters)


def forget_gone(cursor: Cursor, sync_id: int) -> None:
    """Those of clients that the sync doesn't know any more."""
    cursor.execute(SQL["forget_gone"], {"sync_id": sync_id})


def count_of_run(cursor: Cursor, sync_id: int, run_id: int) -> dict[str, int]:
    """How many values SendGrid refused in a run and were left out, by field."""
    rows = many(cursor, SQL["count_of_run"], {"sync_id": sync_id, "run_id": run_id})
    return {row["field"]: row["n"] for row in rows}


def refused_for_everybody(
    cursor: Cursor, run: tuple[int, int], left_out: Mapping[str, int], bits: Mapping[str, int]
) -> list[str]:
    """Fields of which SendGrid took no value at all in a run, of EVERYBODY clients or more: not the
    values are the cause. `run` = (sync_id, run_id); `bits`: of the mapped fields."""
    ids = {"sync_id": run[0], "run_id": run[1]}
    often = [field for field, n in left_out.items() if n >= EVERYBODY and field in bits]
    return [
        field for field in often
        if one(cursor, SQL["count_taken"], ids | {"bit": bits[field]})["n"] == 0
    ]  # fmt: skip


def as_counted(left_out: Mapping[str, int]) -> dict[str, int]:
    """The same numbers by `words.counted`, for the report."""
    return {counted(field, Refusal.REFUSED_BY_SENDGRID): n for field, n in left_out.items()}
