"""What SendGrid shows as it was sent has the row hash of its client, and nothing else has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.hash_keys import PLAIN
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.shown_rows import row_hashes
from contact_sync.contacts.transform import transform
from contact_sync.verify.called_for import LISTED, SEEN, SEVERAL, CalledFor

TEXT = MappedField("city", "_rf6_T", FieldType.TEXT, False, "city", "skip", "cut", 60, 0)
NUMBER = replace(TEXT, name="Score", type=FieldType.NUMBER, custom=True, column="score", bit=1)
DATE = replace(TEXT, name="Born", type=FieldType.DATE, custom=True, column="born", bit=2)
EMAIL = replace(TEXT, name="email", column="email", bit=-1)
MAPPING = Mapping(EMAIL, (TEXT, NUMBER, DATE), None)

SENT = ('Zürich, "Altstadt"', "1234.50", "2020-02-29")
SHOWN = ('Zürich, "Altstadt"', 1234.5, "2020-02-29T00:00:00Z")


def called_for(city: str | None, score: str | None, born: str | None) -> int:
    """The row hash of a client."""
    row = {"client_id": 1, "email": "a@example.com", "exclusion": None, "score": score}
    types = {name: pa.string() for name in ("email", "city", "score", "born", "exclusion")}
    schema = pa.schema({"client_id": pa.int64(), **types})
    batch = pa.RecordBatch.from_pylist([row | {"city": city, "born": born}], schema)
    return int(transform(batch, MAPPING, PLAIN).frame["row_hash"][0])


def held(*rows: tuple[str | None, float | None, str | None]) -> list[int]:
    """The row hashes of contacts of one address."""
    city, score, born = zip(*rows, strict=True)
    columns = [pa.array(city, pa.string()), pa.array(score, pa.float64()),
               pa.array(born, pa.string())]  # fmt: skip
    found = row_hashes(pa.array(["a@example.com"] * len(rows)), columns, MAPPING, PLAIN)
    return [int(number) for number in found]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (SENT, SHOWN),
        ((None, "12", None), ("", 12.0, "")),
        ((None, None, "1999-12-31"), (None, None, "1999-12-31")),
        (("Bern", "-0.01", None), ("Bern", -0.01, None)),
    ],
)
def test_what_is_shown_as_it_was_sent_has_its_hash(sent: Any, shown: Any) -> None:
    assert held(shown) == [called_for(*sent)]


@pytest.mark.parametrize(
    "shown",
    [("Zürich", *SHOWN[1:]), (SHOWN[0], 1234.51, SHOWN[2]), (*SHOWN[:2], None),
     (SHOWN[0], None, SHOWN[2]), ("", *SHOWN[1:]), (*SHOWN[:2], "2020-02-28T23:59:59Z")],
)  # fmt: skip
def test_another_value_has_another_hash(shown: Any) -> None:
    assert called_for(*SENT) not in held(shown)


def test_a_line_break_that_somebody_has_typed_is_nobodys() -> None:
    """And the contacts beside it keep their hashes."""
    broken = ("Bern\nBümpliz", 1.0, None)
    assert held(SHOWN, broken, SHOWN) == [called_for(*SENT), 0, called_for(*SENT)]


def test_who_has_several_contacts_is_unequal_whatever_they_hold() -> None:
    """Together or one after the other, and even if one of them is as it has to be."""
    ids = np.array([1, 2, 3, 4, 5])
    columns = [pa.array(x) for x in (ids, 10 * ids, 100 * ids, [True, True, True, True, False])]
    names = ["client_id", "email_hash", "row_hash", "is_exact"]
    clients = pa.RecordBatch.from_arrays(columns, names)
    called = CalledFor([clients[2:], clients[:2]], 9)
    called.mark(np.array([0, 1, 2, 4]), LISTED)
    for email_hash, row_hash in (([20, 10, 20, 50], [200, 100, 200, 500]), ([30, 40], [300, 400]),
                                 ([10, 99], [101, 99])):  # fmt: skip
        rows, found = called.rows_of(np.array(email_hash))
        equal = called.are_equal(rows, np.array(row_hash), found)
        called.note(rows[found], equal[found])
    assert called.has(SEEN).all()
    assert called.has(SEVERAL).tolist() == [True, True, False, False, False]
    unequal, rows = called.unequal([clients[2:], clients[:2]])
    assert unequal.tolist() == [1, 2, 4, 5]
    assert called.email_hash[rows].tolist() == [10, 20, 40, 50]
