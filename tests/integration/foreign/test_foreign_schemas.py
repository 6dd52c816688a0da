"""`init`, `check-sql` and a first load on schemas that differ as real CRMs do.

What the contacts have to be is written here by hand, from the rows in schemas/*.sql.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contact_sync.cli.main import main
from tests.integration.foreign.conftest import ForeignWorld, begun
from tests.support.world import World

ANN = {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee"}
BOB = {"email": "bob@example.com", "first_name": "Bob", "last_name": "Ray"}
EXPECTED: dict[str, list[dict[str, Any]]] = {
    "uuid_views": [
        ANN | {
            "phone_number": "+41790000002", "address_line_1": "Weg 1", "city": "Zürich",
            "postal_code": "8001", "country": "Switzerland",
            "custom_fields": {"Status": "Active", "registered_at": "2024-05-01T00:00:00Z"},
        },
        BOB | {
            "phone_number": "+4915123456789", "address_line_1": "Allee 2", "city": "Berlin",
            "postal_code": "10115", "country": "Germany",
            "custom_fields": {"Status": "Dormant", "registered_at": "2024-06-02T00:00:00Z"},
        },
        {"email": "cleo@example.com", "first_name": "Cleo"},
    ],
    "one_table": [
        {
            "email": "ann@example.com", "first_name": "Ann", "last_name": "Marie Lee",
            "phone_number": "+41790000001", "address_line_1": "Weg 1", "city": "Zürich",
            "postal_code": "8001", "country": "Switzerland",
            "custom_fields": {"Client_type": "Retail", "Balance": 10.51},
        },
        {
            "email": "bob@example.com", "first_name": "Bob", "phone_number": "+4915123456789",
            "address_line_1": "Allee 2", "city": "Berlin", "postal_code": "10115",
            "country": "GERMANY", "custom_fields": {"Client_type": "Corporate"},
        },
        {
            "email": "cleo@example.com", "first_name": "Cleo", "last_name": "van Dam",
            "phone_number": "+31612345678", "country": "The Netherlands",
            "custom_fields": {"Balance": 3},
        },
        {"email": "dora@example.com", "country": "Nowhere"},
    ],
    "json_phones": [
        ANN | {
            "phone_number": "+41790000001", "address_line_1": "Weg 1", "city": "Zürich",
            "postal_code": "8001", "country": "Switzerland",
            "custom_fields": {"Verification_level": "2"},
        },
        BOB | {
            "phone_number": "+33612345678", "address_line_1": "Rue 2", "city": "Paris",
            "postal_code": "75001", "country": "France",
            "custom_fields": {"Verification_level": "1"},
        },
        {
            "email": "cleo@example.com", "first_name": "Cleo", "last_name": "Dam",
            "custom_fields": {"Verification_level": "0"},
        },
        {"email": "dora@example.com", "first_name": "Dora", "last_name": "Mak"},
    ],
    "consents": [
        ANN | {
            "phone_number": "+41790000001", "country": "Switzerland",
            "custom_fields": {"Status": "active", "Total_deposits": 1234.57, "Wallet": 12.5},
        },
        BOB | {
            "phone_number": "+4915123456789", "country": "Germany",
            "custom_fields": {"Status": "blocked", "Total_deposits": 0, "Wallet": 0},
        },
    ],
}  # fmt: skip
FIELDS = {
    "uuid_views": {"registered_at": "Date"},
    "one_table": {"Balance": "Number"},
    "consents": {"Total_deposits": "Number", "Wallet": "Number"},
}
"""Custom fields that the account has besides those of every test."""


def prepared(name: str, connect: ForeignWorld, include: Path) -> World:
    foreign = connect(name)
    for field, kind in FIELDS.get(name, {}).items():
        foreign.emulator.admin.create_field(field, kind)
    return begun(foreign, include)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_foreign_schema_is_set_up_and_loaded(
    name: str, connect: ForeignWorld, include: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With every proposal taken, and the reader's rights no wider than roles.sql."""
    foreign = prepared(name, connect, include)
    said = capsys.readouterr().out
    assert main(["check-sql", name]) == 0, capsys.readouterr()
    shown = capsys.readouterr().out
    assert f"{name}: the statements are right" in shown
    for person in ("ann@example.com", "Zürich", "+4179"):
        assert person not in said + shown

    foreign.run()
    found = {email: foreign.contact(email) for email in foreign.contacts()}
    assert found == {each["email"]: each for each in EXPECTED[name]}
    again = foreign.run()
    assert (again["kind"], again["counts"]["sent"]) == ("incremental", 0)
    capsys.readouterr()
    assert main(["explain", name, "--email", "ann@example.com"]) == 0
    assert "choose different" not in capsys.readouterr().out
