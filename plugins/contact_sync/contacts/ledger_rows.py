"""What the ledger knows of many clients, as columns by client id. Pure; `state.ledger` reads it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from contact_sync.base.arrays import Int64, Mask, rows_of, taken

NO_FATE = -1
"""The fate of a client that the sync doesn't know."""


@dataclass(frozen=True, slots=True)
class KnownClients:
    """Clients of the ledger by id, one array per column, 28 bytes a client.

    A hash is 0 where it is unknown. `email_hash`: the address that B2CORE had when the sync last
    looked; `contact_hash`: the address of the contact at SendGrid; `cause`: why it has its fate.
    """

    client_id: Int64
    email_hash: Int64
    contact_hash: Int64
    fate: npt.NDArray[np.int16]
    cause: npt.NDArray[np.int16]

    def rows_of(self, ids: Int64) -> Self:
        """The same of these clients, in their order. Whoever isn't known has hashes 0, no field
        filled, and NO_FATE."""
        rows, found = rows_of(self.client_id, ids)
        columns = {
            column.name: taken(
                getattr(self, column.name), rows, found, NO_FATE if column.name == "fate" else 0
            )
            for column in fields(self)
            if column.name != "client_id"
        }
        return type(self)(client_id=ids, **columns)

    def without(self, ids: Int64) -> Self:
        """The same as if these clients weren't known."""
        if len(ids) == 0:
            return self
        kept = ~np.isin(self.client_id, ids)
        return type(self)(*(getattr(self, column.name)[kept] for column in fields(self)))

    @property
    def is_known(self) -> Mask:
        """Whom the sync knows: of its own rows everybody."""
        return np.asarray(self.fate != NO_FATE, bool)


@dataclass(frozen=True, slots=True)
class LedgerRows(KnownClients):
    """With what SendGrid confirmed or refused last; 25 bytes more a client.

    `filled`: the mask of the fields that have a value at SendGrid; `person_hash`: whom the
    id belonged to then; `unconfirmed`: it was sent in vain only, so that its contact needn't exist.
    """

    row_hash: Int64
    filled: Int64
    person_hash: Int64
    unconfirmed: Mask
