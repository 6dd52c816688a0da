"""Whether the mapping of the run before still holds for the account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contact_sync.base.vocabulary import FieldType, SendGridField
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.same_mapping import is_same


def mapped(name: str, bit: int, *, custom: bool = False) -> MappedField:
    """A field as a run has resolved it."""
    kind = FieldType.TEXT
    return MappedField(name, f"id {name}", kind, custom, name, "drop", "cut", 50, bit)


MAPPING = Mapping(
    mapped("email", -1), (mapped("city", 1), mapped("Level", 0, custom=True)), "the list"
)
ACCOUNT = [
    SendGridField("city", "id city", FieldType.TEXT, custom=False),
    SendGridField("Level", "id Level", FieldType.TEXT, custom=True),
    SendGridField("email", "id email", FieldType.TEXT, custom=False),
]
CITY, LEVEL, EMAIL = ACCOUNT


@pytest.mark.parametrize(
    ("account", "positions", "list_id", "same"),
    [
        (ACCOUNT, ["level", "city"], "the list", True),
        ([*ACCOUNT, replace(LEVEL, name="more")], ["level", "city", "more"], "the list", True),
        (ACCOUNT, ["level", "city"], None, False),
        (ACCOUNT, ["city", "level"], "the list", False),
        ([CITY, EMAIL], ["level", "city"], "the list", False),
        ([CITY, EMAIL, replace(LEVEL, id="made again")], ["level", "city"], "the list", False),
        ([CITY, EMAIL, replace(LEVEL, type=FieldType.DATE)], ["level", "city"], "the list", False),
        ([CITY, EMAIL, replace(LEVEL, read_only=True)], ["level", "city"], "the list", False),
        ([CITY, EMAIL, replace(LEVEL, name="LEVEL")], ["level", "city"], "the list", False),
    ],
    ids=["same", "more", "list", "places", "gone", "id", "type", "read-only", "spelling"],
)
def test_a_mapping_is_the_same_only_if_list_fields_and_places_are(
    account: list[SendGridField], positions: list[str], list_id: str | None, same: bool
) -> None:
    """A field that no definition maps may come."""
    assert is_same(MAPPING, account, positions, list_id) is same
