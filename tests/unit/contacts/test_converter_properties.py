"""Each converter against a plain reference for single values, on texts that look like real ones."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import email_validator
import pandas as pd
import phonenumbers
import pyarrow.compute as pc
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.contacts import converters, emails, phones, text_columns
from tests.support.columns import column, values

Convert = Callable[["pd.Series[Any]"], "pd.Series[Any]"]
Reference = Callable[[str], str | None]

LOCAL = st.text("abzABZ019.+-_'!%\u00e9\u200b\u0308 ", min_size=1, max_size=12) | st.sampled_from(
    ["a" * 64, "a" * 65, "ann", "ann+x", '"ann"']
)
DOMAIN = st.text("abzAZ09.-_\u00fc\u0308\u3002", min_size=1, max_size=14) | st.sampled_from(
    [
        "example.com", "xn--bcher-kva.example", "b\u00fccher.example", "a.b.c.de", "x--y.com",
        "ab--c.com", "host.local", "mail.test", "a.xn--p1ai", "1.com", "a" * 63 + ".com",
        "a" * 64 + ".com", ".".join(["a" * 60] * 4) + ".com", "example.c", "example.123",
    ]
)  # fmt: skip
ADDRESSES = st.builds("{}@{}".format, LOCAL, DOMAIN) | st.text(max_size=12)
NUMBERS = st.text("0123456789+-.,eE _\u0663", max_size=24) | st.decimals(
    allow_nan=True, allow_infinity=True
).map(str)
DAYS = st.text("0123456789-T:+Z W", max_size=26) | st.datetimes(
    timezones=st.none() | st.timezones()
).map(datetime.isoformat)
PHONES = st.text("0123456789+-() ./x\u00a0\uff11", max_size=18)
TEXTS = st.text("ab \t\u00a0\u0301\u0308\u200d\U0001f468\U0001f467\U0001f1e8\U0001f1ed\u0915\u094d")


def plain_email(value: str) -> str | None:
    """What the strict library says about the trimmed, composed, lower-case address."""
    address = unicodedata.normalize("NFC", value)
    lowered = values(text_columns.series(pc.utf8_lower([address.strip()])))[0]
    try:
        found = email_validator.validate_email(
            lowered, check_deliverability=False, allow_smtputf8=False
        ).ascii_email
    except email_validator.EmailNotValidError:
        return None
    assert found is not None
    return found if len(found) <= 254 and found.index("@") <= 64 else None


def plain_number(value: str) -> str | None:
    """Python's exact decimals, to two places, half to even."""
    text = value.strip()
    if not regex.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", text):
        return None
    exact = Decimal(text)
    if exact.adjusted() > 25:
        return None
    whole = round(exact * 100)
    sign, (units, cents) = "-" if whole < 0 else "", divmod(abs(whole), 100)
    return f"{sign}{units}" + f".{cents:02}".rstrip("0").rstrip(".")


def plain_day(value: str) -> str | None:
    """The day in UTC."""
    try:
        moment = datetime.fromisoformat(value.strip())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None
    return moment.date().isoformat()


def plain_phone(value: str) -> str | None:
    """Separators and 00 aside: E.164 as it is, everything else as the library reads it."""
    text = regex.sub(r"^00", "+", regex.sub(r"[\p{Z}\p{Cc}\-.()/]", "", value))
    if regex.fullmatch(r"\+[1-9][0-9]{6,14}", text):
        return text
    try:
        parsed = phonenumbers.parse(text, "CH")
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(parsed) != 0:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def plain_cut(value: str) -> str | None:
    """As many whole graphemes as fit into seven code points."""
    clean = regex.sub(r"[\p{Z}\p{Cc}]+", " ", unicodedata.normalize("NFC", value)).strip(" ")
    if len(clean) <= 7:
        return clean or None
    parts = regex.findall(r"\X", clean)
    fitting = max(n for n in range(len(parts)) if len("".join(parts[:n])) <= 7)
    return "".join(parts[:fitting]).rstrip() or None


def email(raw: pd.Series[Any]) -> pd.Series[Any]:
    """Addresses that may be sent."""
    found = emails.sendable(emails.normalised(raw))
    return found.values.mask(found.problems["invalid"])


def phone(raw: pd.Series[Any]) -> pd.Series[Any]:
    """Phones of Swiss clients."""
    return phones.e164(raw, column(["CH"] * len(raw))).values


def cut(raw: pd.Series[Any]) -> pd.Series[Any]:
    """Texts of at most seven code points."""
    return converters.text(text_columns.as_text(raw), 7).values


CASES: list[tuple[Convert, Reference, st.SearchStrategy[str]]] = [
    (email, plain_email, ADDRESSES),
    (lambda raw: converters.number(raw).values, plain_number, NUMBERS),
    (lambda raw: converters.day(raw).values, plain_day, DAYS),
    (phone, plain_phone, PHONES),
    (cut, plain_cut, TEXTS),
]
NAMES = ["email", "number", "day", "phone", "text"]


@pytest.mark.parametrize(("convert", "reference", "texts"), CASES, ids=NAMES)
@given(data=st.data())
def test_a_whole_column_gives_what_single_values_give(
    convert: Convert, reference: Reference, texts: st.SearchStrategy[str], data: st.DataObject
) -> None:
    """Patterns that decide most rows at once agree with the slow way; twice changes nothing."""
    raw = data.draw(st.lists(st.none() | texts, max_size=8))
    found = convert(column(raw))
    assert values(found) == [None if text is None else reference(text) for text in raw]
    assert values(convert(found)) == values(found)


@pytest.mark.parametrize(("convert", "reference", "texts"), CASES, ids=NAMES)
@given(data=st.data())
def test_neighbours_do_not_matter(
    convert: Convert, reference: Reference, texts: st.SearchStrategy[str], data: st.DataObject
) -> None:
    """A value converts alike alone, among others, and at any offset of a slice."""
    raw = data.draw(st.lists(st.none() | texts, min_size=1, max_size=6))
    at = data.draw(st.integers(0, len(raw) - 1))
    alone = values(convert(column([raw[at]])))
    among = text_columns.series(text_columns.arrow(column(["\u00e9", *raw, "x"])).slice(1 + at, 1))
    assert values(convert(among)) == alone == values(convert(column(raw)))[at : at + 1]


@given(st.lists(ADDRESSES, max_size=8))
def test_addresses_are_normalised_once_and_for_all(raw: list[str]) -> None:
    """The scan, the ledger and the lookup compare the hash of one and the same form."""
    sendable = [address for address in values(email(column(raw))) if address]
    assert values(emails.normalised(column(sendable))) == sendable
