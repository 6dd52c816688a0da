"""Whether a client id belongs to the same person still, as far as the source tells by `person_key`.

Pure; `state.persons` writes what comes of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from contact_sync.base.arrays import Int64, rows_of, taken
from contact_sync.contacts.ledger_rows import LedgerRows


@dataclass(frozen=True, slots=True)
class Persons:
    """Of a chunk of clients.

    `others`: ids that belong to another person than the one whom the ledger knows: both the address
    and the key are others. `unnoted`: the rest of those whose row of the ledger has another key or
    none; columns client_id and person_hash, nobody without a key.
    """

    others: Int64
    unnoted: pd.DataFrame


def compare_persons(clients: pd.DataFrame, known: LedgerRows) -> Persons:
    """Compare clients (columns client_id, email_hash, person_hash) with the ledger's rows.

    A key that isn't known, now or then, is no evidence. The address of then is the contact's, or
    the last one that B2CORE had: its opt-out would go along, too, wherever its contact is.
    """
    ids, address, now = (
        clients[name].to_numpy(np.int64) for name in ("client_id", "email_hash", "person_hash")
    )
    rows, found = rows_of(known.client_id, ids)
    contact, last, then = (
        taken(column, rows, found)
        for column in (known.contact_hash, known.email_hash, known.person_hash)
    )
    former = np.where(contact != 0, contact, last)
    differ = found & (now != 0) & (now != then)
    others = differ & (then != 0) & (former != 0) & (former != address)
    unnoted = differ & ~others
    return Persons(
        ids[others], pd.DataFrame({"client_id": ids[unnoted], "person_hash": now[unnoted]})
    )
