"""Whole columns as numpy arrays: the types of ids, hashes and masks, and look-ups by sorted id."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
T = TypeVar("T", bound=np.generic)
AT_ONCE = 65_536
"""Values that are looked up at once: a look-up takes 16 bytes of memory a value."""


def rows_of(ordered: Int64, ids: Int64) -> tuple[Int64, Mask]:
    """For each of the ids its row in the ascending `ordered`, and whether it has one.

    The row of an id that isn't there means nothing: `taken` reads columns by both answers.
    """
    rows = np.searchsorted(ordered, ids)
    if len(ordered) == 0:
        return rows, np.zeros(len(ids), bool)
    rows[rows == len(ordered)] = 0
    return rows, ordered[rows] == ids


def taken(column: npt.NDArray[T], rows: Int64, found: Mask, otherwise: int = 0) -> npt.NDArray[T]:
    """The column's values in the rows, `otherwise` for whoever wasn't found."""
    if len(column) == 0:
        return np.full(len(rows), otherwise, column.dtype)
    values = column[rows]
    values[~found] = otherwise
    return values


def united(*columns: Int64) -> Int64:
    """All values, ascending, each once. Of none it is made at once: np.unique imports numpy.ma,
    a tenth of what a run without changes works."""
    values = np.concatenate(columns)
    return np.unique(values) if len(values) else values


def among(values: Int64, others: Int64) -> Mask:
    """Which values occur in the others; ten times faster than np.isin, which sorts both at once."""
    return are_in(np.sort(others), values)


def are_in(ordered: Int64, values: Int64) -> Mask:
    """Which values occur in the ascending `ordered`, of as many values as there may be."""
    found = np.empty(len(values), bool)
    for start in range(0, len(values), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        found[part] = rows_of(ordered, values[part])[1]
    return found


def joined(parts: list[tuple[npt.NDArray[Any], ...]]) -> tuple[npt.NDArray[Any], ...]:
    """The columns of all parts, of which there is at least one, each as a whole. `parts` is empty
    afterwards: a column's own are given up before the next one is joined."""
    columns = [list(column) for column in zip(*parts, strict=True)]
    parts.clear()
    return tuple(np.concatenate(columns.pop(0)) for _ in range(len(columns)))
