"""Arrow's columns as numpy sees them, without pandas: it is loaded when clients are read. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from contact_sync.base.arrays import Mask


def mask_of(array: pa.Array) -> Mask:
    """A boolean Arrow array as numpy, null = False."""
    return np.asarray(array.fill_null(False) if array.null_count else array)


def numbers(column: npt.NDArray[np.integer[Any]]) -> pa.Array:
    """The column as Arrow has it, without a copy; `pa.array` would load pandas to ask it what the
    column is."""
    column = np.ascontiguousarray(column)
    kind = pa.from_numpy_dtype(column.dtype)
    return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(column)])


def texts_of(array: pa.Array) -> tuple[npt.NDArray[np.int64], memoryview]:
    """Where each text begins in the array's data, with the end of the last, and the data."""
    large = array.cast(pa.large_string())
    offsets = np.frombuffer(large.buffers()[1], np.int64)[large.offset :][: len(large) + 1]
    return offsets, memoryview(large.buffers()[2] or b"")


def null_if_empty(array: pa.Array) -> pa.Array:
    """The texts, an empty one as null."""
    import pyarrow.compute as pc  # as long to import as all else of Arrow: only when rows are there

    empty = mask_of(pc.equal(array, ""))
    return pc.if_else(pa.array(empty), None, array) if empty.any() else array
