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

    `others`: ids that belong to another person than the one whose contact the ledger has for them:
    both the address and the key are others. `unnoted`: the rest of those whose row of the ledger
    has another key or none; columns client_id and person_hash, nobody without a key.
    """

    others: Int64
    unnoted: pd.DataFrame


def compare_persons(clients: pd.DataFrame, known: LedgerRows) -> Persons:
    """Compare clients (columns client_id, email_hash, person_hash) with the ledger's rows.

    A key that isn't known, now or then, is no evidence. Who has neither a contact nor a noted key
    is noted with the contact.
    """
    ids, address, now = (
        clients[name].to_numpy(np.int64) for name in ("client_id", "email_hash", "person_hash")
    )
    rows, found = rows_of(known.client_id, ids)
    contact = taken(known.contact_hash, rows, found)
    then = taken(known.person_hash, rows, found)
    differ = (now != 0) & (now != then) & ((contact != 0) | (then != 0))
    others = differ & (then != 0) & (contact != 0) & (contact != address)
    unnoted = differ & ~others
    return Persons(
        ids[others], pd.DataFrame({"client_id": ids[unnoted], "person_hash": now[unnoted]})
    )
