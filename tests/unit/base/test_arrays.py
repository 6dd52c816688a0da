"""Look-ups by sorted id, against Python's own dictionaries and sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.base.arrays import Int64, among, rows_of, taken

IDS = st.lists(st.integers(-5, 20), max_size=12)


def int64(values: list[int]) -> Int64:
    """As a column."""
    return np.array(values, np.int64)


@given(st.sets(st.integers(-5, 20)), IDS)
def test_a_column_is_read_by_id(known: set[int], ids: list[int]) -> None:
    """Whoever isn't there has the neutral value, also where nobody is there."""
    ordered = int64(sorted(known))
    rows, found = rows_of(ordered, int64(ids))
    assert found.tolist() == [i in known for i in ids]
    values = {i: 100 + i for i in known}
    column = int64([values[i] for i in sorted(known)])
    assert taken(column, rows, found, -1).tolist() == [values.get(i, -1) for i in ids]
    assert column.tolist() == [values[i] for i in sorted(known)]


@given(IDS, IDS)
def test_who_is_among_others(values: list[int], others: list[int]) -> None:
    """In no order and as often as it occurs."""
    assert among(int64(values), int64(others)).tolist() == [v in others for v in values]
