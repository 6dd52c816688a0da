"""What people really type, and what becomes of it: the tables of tests/support/wild."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from contact_sync.contacts import converters, emails, phones, text_columns
from local.numbering_plans import exists
from tests.support.columns import column, reasons, values
from tests.support.wild import dates_and_numbers, more_phones, texts, trackers
from tests.support.wild import emails as wild_emails
from tests.support.wild import phones as wild_phones


@pytest.mark.parametrize(
    ("text", "country", "becomes"), [*wild_phones.REPORTED, *more_phones.KINDS, *trackers.PHONES]
)
def test_B15_a_phone_number_is_its_owners_or_not_sent(
    text: str, country: str | None, becomes: str
) -> None:
    """In E.164, valid for its country; else none, with one reason."""
    found = phones.e164(column([text]), column([country]))
    number = becomes if becomes.startswith("+") else None
    assert values(found.values) == [number]
    assert reasons(found) == ([] if number else [becomes])
    assert number is None or exists(number)  # as the emulator judges, by plans of its own


@pytest.mark.parametrize(
    ("text", "becomes"), [*wild_emails.REPORTED, *wild_emails.KINDS, *trackers.EMAILS]
)
def test_B06_B07_an_address_is_its_owners_or_rejected(text: str, becomes: str) -> None:
    """What surrounds it goes; what another person may read as something else is rejected."""
    found = emails.sendable(emails.normalised(column([text])))
    address = becomes if "@" in becomes else None
    assert values(found.values) == [address]
    assert reasons(found) == ([] if address else [becomes])


@pytest.mark.parametrize(("longest", "text", "becomes"), [*texts.REPORTED, *texts.KINDS])
def test_B11_a_text_is_what_a_person_sees_of_it(
    longest: int, text: str, becomes: str | None
) -> None:
    """No invisible ends, no name of invisible characters, nothing changed that can be seen."""
    clean = text_columns.as_text(column([text]))
    found = converters.text(clean, longest)
    assert values(found.values) == [becomes]
    length = len(values(clean)[0] or "")
    assert reasons(found) == (["too_long"] if length > longest else [])


@pytest.mark.parametrize(("text", "becomes"), dates_and_numbers.DAYS)
def test_B10_only_stated_forms_are_dates(text: str, becomes: str | None) -> None:
    """No form is guessed."""
    found = converters.day(column([text]))
    assert values(found.values) == [becomes]
    assert reasons(found) == ([] if becomes else ["not_a_date"])


@pytest.mark.parametrize(
    ("value", "becomes", "reason"),
    [
        (9007199254740991.0, "9007199254740991", []),  # 2^53 - 1: every digit of it is certain
        (1234567890123456.8, "1234567890123456.8", []),
        (1e22, "10000000000000000000000", []),
        (0.30000000000000004, "0.3", []),  # noise of the binary form
        (2.675, "2.68", ["rounded"]),
        (-0.0, "0", []),
    ],
)
def test_B12_a_binary_number_keeps_the_digits_that_postgresql_shows(
    value: float, becomes: str, reason: list[str]
) -> None:
    """Of a large one, too: none of them turns into a zero unseen."""
    found = converters.number(pd.Series([value], dtype=pd.ArrowDtype(pa.float64())))
    assert (values(found.values), reasons(found)) == ([becomes], reason)


@pytest.mark.parametrize(("text", "becomes"), dates_and_numbers.NUMBERS)
def test_B12_only_plain_numbers_are_numbers(text: str, becomes: str | None) -> None:
    """Thousands' separators and signs of currencies mean different things in different places."""
    found = converters.number(column([text]))
    assert values(found.values) == [becomes]
    rounded = ["rounded"] if text == "1e-400" else []
    assert reasons(found) == (rounded if becomes else ["not_a_number"])
