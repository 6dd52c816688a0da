"""Arrow columns become the bytes that PostgreSQL's documents describe for binary COPY."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.postgres.binary_rows import encoded

MICROSECOND = timedelta(microseconds=1)
FORMATS = {pa.int32(): ">i", pa.int64(): ">q", pa.bool_(): ">?"}
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=12),
    pa.binary(): st.binary(max_size=12),
    pa.timestamp("us", "UTC"): st.datetimes(timezones=st.just(UTC)),
}


def plain(rows: list[tuple[Any, ...]], types: list[Any]) -> bytes:
    """The same, value by value (PostgreSQL docs, COPY, "Tuples")."""
    found = b""
    for row in rows:
        found += struct.pack(">h", len(row))
        for value, kind in zip(row, types, strict=True):
            if value is None:
                found += struct.pack(">i", -1)
                continue
            data = as_bytes(value, kind)
            found += struct.pack(">i", len(data)) + data
    return found


def as_bytes(value: Any, kind: Any) -> bytes:
    """One value; of a moment the microseconds since 2000 (docs, "Date/Time Types")."""
    if isinstance(value, datetime):
        return struct.pack(">q", (value - datetime(2000, 1, 1, tzinfo=UTC)) // MICROSECOND)
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else struct.pack(FORMATS[kind], value)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """Types of columns, of which some have nulls, and rows of them."""
    kinds = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=6))
    columns = [VALUES[kind] | st.none() if draw(st.booleans()) else VALUES[kind] for kind in kinds]
    return kinds, draw(st.lists(st.tuples(*columns), min_size=1, max_size=9))


@given(tables(), st.integers(0, 3))
def test_rows_are_as_the_format_says(
    table: tuple[list[Any], list[tuple[Any, ...]]], skipped: int
) -> None:
    """Any values, nulls anywhere, and a part of a longer batch, whose memory begins before it."""
    kinds, rows = table
    columns = [
        pa.array([None] * skipped + [row[at] for row in rows], kind)
        for at, kind in enumerate(kinds)
    ]
    batch = pa.record_batch(columns, names=[f"c{at}" for at in range(len(kinds))])
    assert bytes(encoded(batch.slice(skipped))) == plain(rows, kinds)


def test_another_type_is_refused_by_its_column() -> None:
    """Binary COPY converts nothing, so a wrong width would be read as other values."""
    batch = pa.record_batch([pa.array([1.5])], names=["score"])
    with pytest.raises(TypeError, match="column 'score' is of type double"):
        encoded(batch)
