"""What clients call for, found by address: 17 bytes of memory a client, and 16 for those whose
contact isn't equal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from contact_sync.base.arrays import AT_ONCE, Int64, Mask, joined, rows_of, taken
from contact_sync.base.errors import RetryableError

EXACT, LISTED, SEEN, SEVERAL, EQUAL = 1, 2, 4, 8, 16
"""No field may hold anything that B2CORE doesn't have; it is on the sync's list; there is a
contact, more than one, one that is exactly what is called for."""


class CalledFor:
    """Clients that call for a contact, ascending by the hash of their address, of which each has
    another; and what an export shows of them.

    Their ids aren't in memory: few are needed, and they are read again (`unequal`).
    """

    def __init__(self, batches: Iterable[pa.RecordBatch], most: int) -> None:
        """`batches` have the columns of `state.sides.called_for`, of at most so many clients.
        Raises RetryableError if they are more."""
        self.email_hash, self.row_hash = np.empty((2, most), np.int64)
        self._marks = np.zeros(most, np.uint8)
        size = 0
        for batch in batches:  # what isn't filled takes no memory
            part = slice(size, size := size + batch.num_rows)
            if size > most:
                raise RetryableError("B2CORE's side was read again meanwhile")
            self.email_hash[part] = batch.column("email_hash")
            self.row_hash[part] = batch.column("row_hash")
            self._marks[part] = np.where(batch.column("is_exact"), EXACT, 0)
        self.email_hash = self.email_hash[:size]
        self.row_hash, self._marks = self.row_hash[:size], self._marks[:size]
        order = np.argsort(self.email_hash)
        for column in (self.email_hash, self.row_hash, self._marks):
            column[:] = column[order]  # a second set of columns would be the peak of memory

    def rows_of(self, email_hash: Int64) -> tuple[Int64, Mask]:
        """For each address the row of its client, and whether there is one."""
        return rows_of(self.email_hash, email_hash)

    def mark(self, rows: Int64 | slice, mark: int) -> None:
        """Note that it is true of the clients in these rows."""
        self._marks[rows] |= np.uint8(mark)

    def has(self, mark: int) -> Mask:
        """Of which clients it is true."""
        return np.asarray(self._marks & mark != 0, bool)

    def are_equal(self, rows: Int64, row_hash: Int64, is_called_for: Mask) -> Mask:
        """Which contacts are exactly what their clients, in these rows, call for."""
        marks = taken(self._marks, rows, is_called_for)
        same = taken(self.row_hash, rows, is_called_for) == row_hash
        return np.asarray(same & (marks & (EXACT | LISTED) == EXACT | LISTED), bool)

    def are_listed(self, rows: Int64, is_called_for: Mask) -> Mask:
        """Which of these contacts of clients are on the list."""
        return np.asarray(taken(self._marks, rows, is_called_for) & LISTED != 0, bool)

    def note(self, rows: Int64, equal: Mask) -> None:
        """Contacts of these clients were read."""
        distinct, times = np.unique(rows, return_counts=True)
        again = (times > 1) | (self._marks[distinct] & SEEN != 0)
        self.mark(distinct[again], SEVERAL)
        self.mark(distinct, SEEN)
        self.mark(rows[equal], EQUAL)

    def unequal(self, batches: Iterable[pa.RecordBatch]) -> tuple[Int64, Int64]:
        """Whose contact isn't there, isn't exactly so, or isn't the only one: their ids, ascending,
        and their rows. `batches`: as at the beginning; if there is nobody, they aren't read."""
        none, unequal = np.empty(0, np.int64), self._marks & (EQUAL | SEVERAL) != EQUAL
        parts: list[tuple[npt.NDArray[np.int64], ...]] = [(none, none)]
        if unequal.any():
            for ids, rows in self._places(batches):
                parts.append((ids[unequal[rows]], rows[unequal[rows]]))
        client_id, rows = joined(parts)
        order = np.argsort(client_id)
        return client_id[order], rows[order]

    def _places(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Int64, Int64]]:
        for batch in batches:
            for start in range(0, batch.num_rows, AT_ONCE):
                part = batch.slice(start, AT_ONCE)
                ids, hashes = (np.array(part.column(name)) for name in ("client_id", "email_hash"))
                rows, is_there = self.rows_of(hashes)
                yield ids[is_there], rows[is_there]
