"""Arrow columns as rows of PostgreSQL's binary COPY format (its docs, COPY, "Binary Format").

A row is the number of its columns in two bytes, and for each column its length in four bytes and
its bytes, all big-endian; a NULL has the length -1 and no bytes. All rows of a batch are made at
once: what is equally long in each row as a matrix of bytes, texts as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
"""What a COPY begins with: the signature, no flags, no extension."""
TRAILER = b"\xff\xff"
"""What it ends with."""
MAX_ROWS = 16_384
"""Rows of one piece, which bounds the memory, and keeps it below the 2 GB of an Arrow array."""

MOMENT = pa.timestamp("us", "UTC")
EPOCH = 946_684_800_000_000
"""PostgreSQL counts microseconds since the beginning of 2000, Arrow since that of 1970."""

Bytes = npt.NDArray[np.uint8]


def encoded(batch: pa.RecordBatch) -> memoryview:
    """The batch's rows; its columns are int16, int32, int64, bool, string, binary or moments in UTC
    to the microsecond, and may have nulls.

    Raises TypeError for a column of another type.
    """
    import pyarrow.compute as pc  # as long to import as all else of Arrow: only when rows are there

    rows = batch.num_rows
    parts: list[Any] = []
    matrices = [_same(batch.num_columns, 2, rows)]
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            matrices.append(_lengths(column, pc.binary_length(column)))
            parts += [_joined(matrices), _or_empty(column.cast(pa.binary()))]
            matrices = []
            continue
        values = _numbers(name, column)
        width = values.shape[1]
        if column.null_count:
            matrices.append(_lengths(column, pa.repeat(pa.scalar(width, pa.int32()), rows)))
            known = pc.if_else(column.is_valid(), _array(values), pa.scalar(None, pa.binary()))
            parts += [_joined(matrices), _or_empty(known)]
            matrices = []
        else:
            matrices += [_same(width, 4, rows), values]
    if matrices:
        parts.append(_joined(matrices))
    return _content(pc.binary_join_element_wise(*parts, b""))


def _same(number: int, width: int, rows: int) -> Bytes:
    """A number of so many bytes in each row."""
    return np.broadcast_to(np.frombuffer(number.to_bytes(width, "big"), np.uint8), (rows, width))


def _lengths(column: pa.Array, lengths: pa.Array) -> Bytes:
    """Each value's length in four bytes; -1 for null."""
    import pyarrow.compute as pc

    known = pc.if_else(column.is_valid(), lengths, pa.scalar(-1, pa.int32()))
    return _big_endian(np.asarray(known), 4)


def _numbers(name: str, column: pa.Array) -> Bytes:
    """Each number's bytes; anything for null."""
    if pa.types.is_boolean(column.type):
        return _big_endian(np.asarray(column.fill_null(False).cast(pa.int8())), 1)
    if column.type == MOMENT:
        since_epoch = column.cast(pa.int64()).fill_null(0)
        return _big_endian(np.asarray(since_epoch) - EPOCH, 8)
    if column.type in (pa.int16(), pa.int32(), pa.int64()):
        return _big_endian(np.asarray(column.fill_null(0)), column.type.bit_width // 8)
    raise TypeError(f"the column {name!r} is of type {column.type}, which isn't written here")


def _big_endian(numbers: npt.NDArray[Any], width: int) -> Bytes:
    turned = np.ascontiguousarray(numbers.astype(f">i{width}"))
    return turned.view(np.uint8).reshape(len(numbers), width)


def _joined(matrices: list[Bytes]) -> pa.Array:
    return _array(np.concatenate(matrices, axis=1))


def _array(matrix: Bytes) -> pa.Array:
    """Each row of the matrix as one value."""
    rows, width = matrix.shape
    content = pa.py_buffer(np.ascontiguousarray(matrix))
    return pa.Array.from_buffers(pa.binary(width), rows, [None, content]).cast(pa.binary())


def _or_empty(values: pa.Array) -> pa.Array:
    return values.fill_null(b"") if values.null_count else values


def _content(values: pa.Array) -> memoryview:
    """The bytes of all values, one after the other as they lie in memory."""
    _, offsets, content = values.buffers()
    places = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
    return memoryview(content)[int(places[0]) : int(places[-1])]
