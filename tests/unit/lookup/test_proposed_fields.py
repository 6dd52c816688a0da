"""Which column a field is likely to come from."""

from __future__ import annotations

import pyarrow as pa
import pytest

from contact_sync.base.vocabulary import FieldType, SendGridField
from contact_sync.contacts.account_fields import likely_list
from contact_sync.lookup.proposed_fields import proposed_fields

TEXT, NUMBER, DATE = FieldType.TEXT, FieldType.NUMBER, FieldType.DATE
STRING, DAY, INTEGER = pa.string(), pa.date32(), pa.int64()


def field(name: str, kind: FieldType = TEXT, *, custom: bool = True, **more: bool) -> SendGridField:
    """A field of the account."""
    return SendGridField(name, name, kind, custom, **more)


@pytest.mark.parametrize(
    ("fields", "columns", "wanted"),
    [
        ([field("Status")], {"status": STRING}, {"Status": "status"}),
        ([field("clientStatus")], {"status": STRING}, {"clientStatus": "status"}),
        ([field("KYC_level")], {"verification_level": STRING},
         {"KYC_level": "verification_level"}),
        ([field("Registered", DATE)], {"registered_on": DAY}, {"Registered": "registered_on"}),
        ([field("Registered", NUMBER)], {"registered_on": DAY}, {}),
        ([field("Deposits", NUMBER)], {"deposits": INTEGER}, {"Deposits": "deposits"}),
        ([field("A"), field("a_")], {"a": STRING}, {"A": "a"}),
        ([field("client_id", NUMBER)], {"client_id": INTEGER}, {}),
        ([field("phone_number", custom=False)], {"phone": STRING}, {"phone_number": "phone"}),
        ([field("phone_number", custom=False)], {"phone": INTEGER}, {}),
        ([field("city", custom=False), field("City2")], {"city": STRING}, {"city": "city"}),
        ([field("Status", read_only=True)], {"status": STRING}, {}),
        ([field("Unlike")], {"status": STRING}, {}),
    ],
)  # fmt: skip
def test_names_and_types_decide(
    fields: list[SendGridField], columns: dict[str, pa.DataType], wanted: dict[str, str]
) -> None:
    """Spelled alike and fitting; no column twice; e-mail and names always."""
    found = proposed_fields(fields, [pa.field(name, kind) for name, kind in columns.items()])
    always = {"email": "email", "first_name": "first_name", "last_name": "last_name"}
    assert found == always | wanted


@pytest.mark.parametrize(
    ("lists", "sync", "wanted"),
    [
        ([], "west", None),
        (["Only one"], "west", "Only one"),
        (["News", "All customers"], "west", "All customers"),
        (["News", "The West"], "west", "The West"),
        (["News", "Others"], "west", None),
    ],
)
def test_a_list_is_proposed_where_one_is_likely(
    lists: list[str], sync: str, wanted: str | None
) -> None:
    """By its name, or because it is the only one."""
    assert likely_list(lists, sync) == wanted
