"""Phone numbers: E.164, or not sent."""

from __future__ import annotations

import gc

import pytest

from contact_sync.contacts import phone_text, phones
from tests.support.columns import column, reasons, values


@pytest.mark.parametrize(
    ("raw", "region", "number", "reason"),
    [
        ("+41 79 123-45.67", None, "+41791234567", None),
        ("0041791234567", None, "+41791234567", None),
        ("079 123 45 67", "CH", "+41791234567", None),
        ("079 123 45 67", None, None, "no_country"),
        ("030 123456", "DE", "+4930123456", None),
        ("12", "DE", None, "number_too_short"),
        ("call me", "CH", None, "no_number"),
        ("2020.12.31", "DK", None, "no_number"),
        ("2020-12-31", "DK", None, "no_number"),
        ("31.12.2020", "DK", None, "no_number"),
        ("20 20 12 31", "DK", "+4520201231", None),
        ("+0791234567", None, None, "not_assigned"),
        ("", "CH", None, None),
        (None, "CH", None, None),
    ],
)
def test_B15_phones_are_e164_or_dropped(
    raw: str | None, region: str | None, number: str | None, reason: str | None
) -> None:
    """Separators go, national numbers get their country code, the rest isn't sent."""
    found = phones.e164(column([raw]), column([region]))
    assert values(found.values) == [number]
    assert reasons(found) == ([reason] if reason else [])


@pytest.mark.parametrize("raw", ["+999 1234567", "+0791234567"])
def test_a_number_that_cant_be_read_holds_nothing_in_memory(raw: str) -> None:
    """libphonenumber's error would hold all callers, and so a whole batch of clients."""

    def read() -> None:
        phone_text.read_phone.cache_clear()
        phones.e164(column([raw]), column([None]))

    read()
    gc.collect()
    gc.disable()
    try:
        read()
        assert gc.collect() == 0
    finally:
        gc.enable()
