"""How many rows of phones, addresses and the like each client has. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contact_sync.base.arrays import Int64, rows_of, taken


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Clients by id, and how many rows each has; whoever isn't there has none."""

    client_id: Int64
    rows: Int64

    def differing(self, others: RowCounts) -> Int64:
        """Clients whose number isn't the same in both."""
        ids = np.union1d(self.client_id, others.client_id)
        return np.asarray(ids[self._of(ids) != others._of(ids)], np.int64)

    def of_others(self, ids: Int64) -> int:
        """How many rows all clients but those have."""
        return int(self.rows.sum() - self._of(ids).sum())

    def _of(self, ids: Int64) -> Int64:
        return taken(self.rows, *rows_of(self.client_id, ids))
