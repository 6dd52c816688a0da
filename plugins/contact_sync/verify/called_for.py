"""What clients call for, found by address: 29 bytes of memory a client."""

from __future__ import annotations

import numpy as np

from contact_sync.base.arrays import Int64, Mask, rows_of, taken


class CalledFor:
    """Clients that call for a contact, ascending by the hash of their address, of which each has
    another; and what an export shows of them.

    `exact`: the row hash has to be the same, no field may hold anything; `listed`: on the sync's
    list; `seen`: there is a contact; `several`: there is more than one; `equal`: one was exactly
    what is called for.
    """

    def __init__(self, client_id: Int64, email_hash: Int64, row_hash: Int64, exact: Mask) -> None:
        """The columns become its own, and are sorted in place."""
        order = np.argsort(email_hash)
        self.client_id, self.email_hash = client_id, email_hash
        self.row_hash, self.exact = row_hash, exact
        for column in (client_id, email_hash, row_hash, exact):
            column[:] = column[order]  # a second set of columns would be the peak of memory
        self.listed, self.seen, self.several, self.equal = np.zeros((4, len(order)), bool)

    def rows_of(self, email_hash: Int64) -> tuple[Int64, Mask]:
        """For each address the row of its client, and whether there is one."""
        return rows_of(self.email_hash, email_hash)

    def are_equal(self, rows: Int64, row_hash: Int64, is_called_for: Mask) -> Mask:
        """Which contacts are exactly what their clients, in these rows, call for."""
        exact = taken(self.exact, rows, is_called_for) & taken(self.listed, rows, is_called_for)
        same = taken(self.row_hash, rows, is_called_for) == row_hash
        return np.asarray(exact & same, bool)

    def note(self, rows: Int64, equal: Mask) -> None:
        """Contacts of these clients were read."""
        distinct, times = np.unique(rows, return_counts=True)
        self.several[distinct] |= self.seen[distinct] | (times > 1)
        self.seen[distinct] = True
        self.equal[rows[equal]] = True

    @property
    def unequal(self) -> Mask:
        """Whose contact isn't there, isn't exactly so, or isn't the only one."""
        return ~self.equal | self.several
