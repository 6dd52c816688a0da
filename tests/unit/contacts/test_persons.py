"""R09: what is evidence that a client id belongs to another person."""

from __future__ import annotations

from dataclasses import fields
from itertools import product

import numpy as np
import pandas as pd
import pytest

from contact_sync.contacts.ledger_rows import LedgerRows
from contact_sync.contacts.persons import compare_persons

ADDRESS, FORMER, NONE, UNKNOWN, KEY, OTHER = 1, 2, 0, 0, 5, 6
CASES = [*product((ADDRESS, FORMER, NONE), (UNKNOWN, KEY, OTHER), (UNKNOWN, KEY))]
"""The address of the contact at SendGrid, the key that was noted, the key now."""
OTHERS = [(FORMER, OTHER, KEY)]
UNNOTED = [(ADDRESS, UNKNOWN, KEY), (ADDRESS, OTHER, KEY), (FORMER, UNKNOWN, KEY),
           (NONE, OTHER, KEY)]  # fmt: skip


def known(rows: dict[int, tuple[int, int]]) -> LedgerRows:
    """The ledger's rows of clients, by id: hashes of the contact's address and of the key."""
    columns = {field.name: np.zeros(len(rows), np.int64) for field in fields(LedgerRows)}
    columns["client_id"] = np.array([*rows], np.int64)
    columns["contact_hash"] = np.array([contact for contact, _ in rows.values()], np.int64)
    columns["person_hash"] = np.array([key for _, key in rows.values()], np.int64)
    return LedgerRows(**columns)


def clients(keys: dict[int, int]) -> pd.DataFrame:
    """Clients of ADDRESS, by id the key."""
    frame = pd.DataFrame({"client_id": [*keys], "person_hash": [*keys.values()]}, dtype=np.int64)
    return frame.assign(email_hash=ADDRESS)


@pytest.mark.parametrize("case", CASES)
def test_R09_another_address_and_another_known_key_are_another_person(
    case: tuple[int, int, int],
) -> None:
    """Nothing else is; a key that isn't noted as it is now is to be, where there is a contact."""
    contact, then, now = case
    told = compare_persons(clients({7: now}), known({7: (contact, then)}))
    assert told.others.tolist() == ([7] if case in OTHERS else [])
    assert told.unnoted.to_dict("list") == (
        {"client_id": [7], "person_hash": [now]}
        if case in UNNOTED
        else {"client_id": [], "person_hash": []}
    )


def test_R09_each_client_is_compared_with_its_own_row() -> None:
    """Rows of others are between them, and some have none."""
    rows = {2: (FORMER, OTHER), 3: (FORMER, KEY), 5: (ADDRESS, UNKNOWN), 9: (FORMER, OTHER)}
    told = compare_persons(clients({1: KEY, 3: KEY, 5: KEY, 9: KEY, 12: KEY}), known(rows))
    assert told.others.tolist() == [9]
    assert told.unnoted["client_id"].tolist() == [5]
