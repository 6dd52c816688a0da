"""Payloads, and CSV imports made of them."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.contacts.payloads import (
    csv_block,
    csv_field_ids,
    csv_header,
    csv_payloads,
    cut_csv_batches,
)
from tests.support.samples import mapping, payload


@given(st.integers(0, 5_000), st.integers(1, 700))
def test_csv_batches_are_balanced(contacts: int, limit: int) -> None:
    """Everyone once, none over the limit, sizes differ by one at most."""
    ranges = cut_csv_batches(contacts, limit)
    assert [i for a, b in ranges for i in range(a, b)] == list(range(contacts))
    sizes = [b - a for a, b in ranges] or [0]
    assert max(sizes) <= limit
    assert max(sizes) - min(sizes) <= 1


def test_csv_columns_follow_the_mapping() -> None:
    """Ids by position, a header of the same length, dates in the documented form."""
    using = mapping()
    ids = csv_field_ids(using)
    assert ids == ["_rf2_T", *(field.id for field in using.fields)]
    ann = payload("a@example.com", first_name='Ann "A", B', Born="1990-02-01")
    text = bytes(csv_block(pa.array([ann, payload("b@example.com")]))).decode()
    first, second = csv.DictReader(io.StringIO(",".join(csv_header(using)) + "\n" + text))
    assert list(first) == csv_header(using)
    assert {name: value for name, value in first.items() if value} == {
        "email": "a@example.com", "first_name": 'Ann "A", B', "Born": "02/01/1990",
    }  # fmt: skip
    assert {name: value for name, value in second.items() if value} == {"email": "b@example.com"}
    assert text.splitlines()[1] == '"b@example.com"' + "," * len(using.fields)


def test_a_block_of_payloads_is_sent_as_it_is() -> None:
    """Also when it is a part of an array; nothing but the rows themselves."""
    rows = [payload(f"{name}@example.com", first_name=name) for name in ("Ann", "Zoë", "Bo")]
    assert bytes(csv_block(pa.array(rows).slice(1))).decode() == rows[1] + rows[2]


def test_a_payload_is_one_line_or_the_run_stops() -> None:
    """A line break would move the values of a million contacts by one row."""
    names = [pa.array(["Ann\nBo"])] + [pa.array([None], pa.string())] * (len(mapping().fields) - 1)
    with pytest.raises(ValueError, match="1 contacts made 2 lines"):
        csv_payloads(pa.array(["a@example.com"]), names, mapping())
