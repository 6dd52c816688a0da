"""R09: what is evidence that a client id belongs to another person."""

from __future__ import annotations

from dataclasses import fields
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contact_sync.contacts.ledger_rows import LedgerRows
from contact_sync.contacts.persons import compare_persons

ADDRESS, FORMER, NONE, UNKNOWN, KEY, OTHER = 1, 2, 0, 0, 5, 6
Row = tuple[int, int, int]
"""Of a row of the ledger: the address of the contact, the last one in B2CORE, the key."""
CASES = [*product((ADDRESS, FORMER, NONE), (ADDRESS, FORMER, NONE), (UNKNOWN, KEY, OTHER))]
ANOTHER = [(FORMER, ADDRESS, OTHER), (FORMER, FORMER, OTHER), (FORMER, NONE, OTHER),
           (NONE, FORMER, OTHER)]  # fmt: skip


def known(rows: dict[int, Row]) -> LedgerRows:
    """The ledger's rows of clients, by id."""
    columns: dict[str, Any] = {
        field.name: np.zeros(len(rows), np.int64) for field in fields(LedgerRows)
    }
    columns["client_id"] = np.array([*rows], np.int64)
    for position, name in enumerate(("contact_hash", "email_hash", "person_hash")):
        columns[name] = np.array([row[position] for row in rows.values()], np.int64)
    return LedgerRows(**columns)


def clients(keys: dict[int, int]) -> pd.DataFrame:
    """Clients of ADDRESS, by id the key."""
    frame = pd.DataFrame({"client_id": [*keys], "person_hash": [*keys.values()]}, dtype=np.int64)
    return frame.assign(email_hash=ADDRESS)


@pytest.mark.parametrize("row", CASES)
def test_R09_another_address_and_another_known_key_are_another_person(row: Row) -> None:
    """Nothing else is; a key that isn't noted as it is now is to be."""
    told = compare_persons(clients({7: KEY}), known({7: row}))
    assert told.others.tolist() == ([7] if row in ANOTHER else [])
    is_noted = row in ANOTHER or row[2] == KEY
    assert told.unnoted["client_id"].tolist() == ([] if is_noted else [7])
    assert told.unnoted["person_hash"].tolist() == ([] if is_noted else [KEY])


@pytest.mark.parametrize("row", CASES)
def test_R09_who_has_no_key_now_tells_nothing(row: Row) -> None:
    """What was noted stays."""
    told = compare_persons(clients({7: UNKNOWN}), known({7: row}))
    assert (len(told.others), len(told.unnoted)) == (0, 0)


def test_R09_each_client_is_compared_with_its_own_row() -> None:
    """Rows of others are between them, and some have none."""
    rows = {2: (FORMER, FORMER, OTHER), 3: (FORMER, FORMER, KEY), 5: (ADDRESS, ADDRESS, UNKNOWN),
            9: (FORMER, FORMER, OTHER)}  # fmt: skip
    told = compare_persons(clients({1: KEY, 3: KEY, 5: KEY, 9: KEY, 12: KEY}), known(rows))
    assert told.others.tolist() == [9]
    assert told.unnoted["client_id"].tolist() == [5]
