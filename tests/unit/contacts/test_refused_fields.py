"""Which field SendGrid's words name, and contacts without a refused value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.converters import Converted
from contact_sync.contacts.hash_keys import Hashing, HashKey
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.payloads import csv_payloads, values_of
from contact_sync.contacts.refused_fields import FieldNames
from contact_sync.contacts.refused_values import (
    Contact,
    RefusedValues,
    filled,
    known_refusals,
    without,
)
from contact_sync.contacts.text_columns import arrow, series

NAMES = ("first_name", "phone_number", "country", "Status", "Contact", "Level_2", "Born")
IDS = ("_rf0_T", "_rf10_T", "_rf9_T", "e1_T", "e2_T", "e12_N", "e13_D")
TYPES = {"Level_2": FieldType.NUMBER, "Born": FieldType.DATE}


def field(name: str, field_id: str, bit: int) -> MappedField:
    """A mapped field."""
    custom = field_id.startswith("e")
    kind = TYPES.get(name, FieldType.TEXT)
    return MappedField(name, field_id, kind, custom, name, "drop", "drop", 50, bit)


KEYED = Hashing((HashKey("k" * 32),))
MAPPING = Mapping(
    field("email", "_rf2_T", -1),
    tuple(field(name, i, bit) for bit, (name, i) in enumerate(zip(NAMES, IDS, strict=True))),
    None,
)
FIELDS = {field.name: field for field in MAPPING.fields}


@pytest.mark.parametrize(
    ("said", "where", "names"),
    [
        ("phone_number '+41 79' is not valid", "", ["phone_number"]),
        ("phone number '+41 79' is not valid", "", ["phone_number"]),
        ("Phone-Number is not valid", "", ["phone_number"]),
        ("_rf10_T: bad", "", ["phone_number"]),
        ('custom field "e1_T" cannot be null', "", ["Status"]),
        ("column 'Status': 17", "", ["Status"]),
        ("Country is longer than 50 characters", "", ["country"]),
        ("no", "contacts[3].phone_number", ["phone_number"]),
        ("no", "contacts[3].custom_fields.e2_T", ["Contact"]),
        ("no", 'contacts[3].custom_fields["e12_N"]', ["Level_2"]),
        ("first_name 'country' is too long", "", ["first_name"]),
        ("phone_number is bad; Status is bad", "", ["phone_number", "Status"]),
        ("phone_number is bad for this country", "", ["phone_number"]),
        ("contact ann@example.com: phone_number is bad", "", ["phone_number"]),
        # nothing is named, or the address is
        ("contact is not valid", "", []),
        ("the status of this contact is bad", "", []),
        ("email 'phone_number@example.com' is not valid", "", []),
        ("email is not valid", "contacts[0].email", []),
        ("phone_number of somebody", "contacts[0].identifier", []),
        ("e1 e12 e1_T2 xphone_number phone_number_id", "", []),
        ("date '2020-01-01' is not valid", "", []),
        ("", "", []),
    ],
)  # fmt: skip
def test_D15_a_field_is_named_by_name_id_or_column(said: str, where: str, names: list[str]) -> None:
    """A custom name that is an ordinary word counts only as it is spelled; what is quoted may be
    somebody's value."""
    assert [found.name for found in FieldNames(MAPPING).named(said, where)] == names


def payload(*values: str | None) -> str:
    """A contact's payload as a run makes it."""
    columns = [pa.array([value], pa.string()) for value in values]
    return str(csv_payloads(pa.array(["ann@example.com"]), columns, MAPPING)[0].as_py())


def test_D15_a_contact_without_a_value_is_what_a_run_makes_of_it() -> None:
    """Byte for byte, so that the ledger's hash is that of the next run."""
    values = ['Ann "A", x', "+41790000001", None, "on", None, "12.5", "1999-12-31"]
    contact = Contact(7, "ann@example.com", payload(*values))
    lost = [FIELDS["phone_number"], FIELDS["Born"], FIELDS["country"]]
    assert filled(contact, lost, MAPPING) == lost[:2]
    (found,) = without([(contact, lost, "not valid")], MAPPING, KEYED)
    values[1] = values[6] = None
    assert found.payload == payload(*values)
    assert found.row_hash == KEYED.text(found.payload, MAPPING.seed)
    assert found.bits == 1 << 1 | 1 << 6
    assert values_of(found.payload, MAPPING)[6] == ""
    assert found.values == {
        "phone_number": KEYED.text("+41790000001"),
        "Born": KEYED.text("1999-12-31"),
    }


def test_D15_only_the_value_that_was_refused_is_left_out() -> None:
    """Of these clients and no others; whoever has another one, or none, is told."""
    clients = np.array([5, 6, 7, 8, 9], np.int64)
    column = Converted(series(pa.array(["a", "b", None, "a", "c"])))
    known = RefusedValues(
        np.array([1, 6, 7, 8, 9], np.int64),
        np.array([KEYED.text(text) for text in "abaac"], np.int64),
    )
    found, other = known_refusals(column, clients, known, KEYED)
    assert arrow(found.values).to_pylist() == ["a", None, None, None, None]
    (problem,) = found.problems.values()
    assert problem.tolist() == [False, True, False, True, True]
    assert other.tolist() == [False, False, True, False, False]
