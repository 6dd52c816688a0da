"""Values are compared by what they mean, on both sides of a verification."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.meaning import bits, differing, is_cut, meant, packed
from contact_sync.contacts.payloads import csv_payloads, value_columns, values_of

TEXT = MappedField("city", "_rf6_T", FieldType.TEXT, False, "city", "skip", "cut", 60, 0)
NUMBER = replace(TEXT, name="Score", type=FieldType.NUMBER, custom=True, bit=1)
DATE = replace(TEXT, name="Born", type=FieldType.DATE, custom=True, bit=2)
EMAIL = replace(TEXT, name="email", bit=-1)
MAPPING = Mapping(EMAIL, (TEXT, NUMBER, DATE), None)


@pytest.mark.parametrize(
    ("field", "sent", "shown"),
    [
        (TEXT, "Bern", "Bern"),
        (TEXT, "7", 7),
        (TEXT, "", None),
        (NUMBER, "12.5", 12.5),
        (NUMBER, "12.50", "12.5"),
        (NUMBER, "12", 12.0),
        (NUMBER, "-0", 0),
        (NUMBER, "1000000", "1e6"),
        (DATE, "02/11/2021", "2021-02-11T23:03:03Z"),
        (DATE, "02/11/2021", "2021-02-11"),
        (DATE, "02/11/2021", "2/11/2021"),
        (DATE, "", ""),
    ],
)
def test_one_meaning_has_one_hash(field: MappedField, sent: str, shown: Any) -> None:
    ours, theirs = (meant(field, [value]) for value in (sent, shown))
    assert ours[0].tolist() == theirs[0].tolist()
    assert not (ours[1] | theirs[1]).any()
    assert (ours[0][0] == 0) == (sent == "")


@pytest.mark.parametrize(
    ("field", "sent", "shown"),
    [
        (TEXT, "Bern", "bern"),
        (TEXT, "Bern", "Bern "),
        (TEXT, "x", ""),
        (NUMBER, "0", None),
        (NUMBER, "12.5", 12.51),
        (DATE, "02/11/2021", "2021-11-02"),
        (DATE, "02/11/2021", ""),
    ],
)
def test_another_meaning_has_another_hash(field: MappedField, sent: str, shown: Any) -> None:
    assert meant(field, [sent])[0][0] != meant(field, [shown])[0][0]


@pytest.mark.parametrize(
    ("field", "shown"),
    [(NUMBER, "twelve"), (NUMBER, "nan"), (NUMBER, "1e999"), (DATE, "02/30/2021"),
     (DATE, "yesterday"), (DATE, 1613084583)],
)  # fmt: skip
def test_what_is_no_number_or_date_cant_be_compared(field: MappedField, shown: Any) -> None:
    found, unclear = meant(field, [shown, None])
    assert unclear.tolist() == [True, False]
    assert found[0] != 0


def test_the_columns_of_payloads_are_their_values() -> None:
    """Also with quotes, separators and nothing in them."""
    values = [['a"b, c', "x", "", "ü"], ["1.50", "", "2", ""], ["", "2020-02-29", "", ""]]
    columns = [pa.array([v or None for v in column], pa.string()) for column in values]
    emails = pa.array([f"{n}@example.com" for n in range(3)] + [None])
    payloads = csv_payloads(emails, columns, MAPPING)
    found = [column.to_pylist() for column in value_columns(payloads, MAPPING)]
    assert found[:2] == values[:2]
    assert [values_of(text, MAPPING)[2] for text in payloads.to_pylist()] == values[2]
    assert found[2] == ["", "02/29/2020", "", ""]
    assert [len(c) for c in value_columns(payloads.slice(0, 0), MAPPING)] == [0, 0, 0]
    assert value_columns(payloads.slice(2, 1), MAPPING)[1].to_pylist() == ["2"]


def test_hashes_tell_which_fields_differ() -> None:
    one, other = (packed([np.array([n, 5, n]), np.array([1, 1, 1]), np.array([0, 0, n])])
                  for n in (7, 8))  # fmt: skip
    ours, theirs = one.to_pylist(), other.to_pylist()
    assert [differing(MAPPING, a, b) for a, b in zip(ours, theirs, strict=True)] == [
        ("city",), (), ("city", "Born"),
    ]  # fmt: skip
    assert differing(MAPPING, ours[2], theirs[2], left_out=0b100) == ("city",)
    masks = [np.array([True, False]), np.array([True, True])]
    assert bits(masks).tolist() == [3, 2]


def test_a_text_that_sendgrid_cut_is_known_by_its_length() -> None:
    """By characters or bytes; a shorter beginning is another text."""
    sent = "ä" * 61
    assert [is_cut(TEXT, sent, sent[:n]) for n in (60, 30, 29, 10, 61)] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert not is_cut(TEXT, "b" * 61, "a" * 60)
