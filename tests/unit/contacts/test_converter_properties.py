"""Each converter against a plain reference for single values, on texts that look like real ones."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import email_validator
import pandas as pd
import phonenumbers
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.contacts import converters, emails, phones, text_columns
from tests.support.columns import column, values

WHITE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
UNSEEN = regex.compile(r"[\p{Cf}\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
MOMENT = regex.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,6})?)?"
    r" ?(?:Z|([+-])([0-9]{2}):?([0-9]{2})?)?)?"
)
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
PHONES = st.builds(
    "{}{}{}".format,
    st.sampled_from(
        ["", "+", "+41", "+41 ", "0041", "00", "0", "079", "079 ", " +44 79", "41", "+0"]
    ),
    st.text("0123456789\u00a0\uff11\u0663 ", max_size=10),
    st.sampled_from(["", " "]),
)
TEXTS = st.text("ab \t\u00a0\u0301\u0308\u200d\U0001f468\U0001f467\U0001f1e8\U0001f1ed\u0915\u094d")


def plain_email(value: str) -> str | None:
    """What the strict library says about the trimmed address without what nobody sees, its ASCII
    letters in lower case; and a top level domain is a word."""
    address = UNSEEN.sub("", value.strip(WHITE)).strip(WHITE).translate(ASCII_LOWER)
    if not address.rpartition("@")[0].isascii():
        return None
    try:
        found = email_validator.validate_email(
            address, check_deliverability=False, allow_smtputf8=False
        ).ascii_email
    except email_validator.EmailNotValidError:
        return None
    assert found is not None
    found = found.translate(ASCII_LOWER)
    word = regex.search(r"\.([a-z]{2,63}|xn--[a-z0-9-]+)$", found)
    return found if word and len(found) <= 254 and found.index("@") <= 64 else None


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
    """The day in UTC, counted by hand from the parts of one of the stated forms."""
    parts = MOMENT.fullmatch(value.strip())
    if not parts:
        return None
    year, month, day, hour, minute, second, sign, hours, minutes = (
        part if part in ("+", "-") else int(part or 0) for part in parts.groups()
    )
    if hour > 23 or minute > 59 or second > 59 or hours > 23 or minutes > 59:
        return None
    away = timedelta(hours=hours, minutes=minutes)
    try:
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 it is a sum
        return (moment + away if sign == "-" else moment - away).date().isoformat()
    except (ValueError, OverflowError):
        return None


def plain_phone(value: str) -> str | None:
    """A Swiss client's digits, as the library reads and judges them: as they stand, with a plus
    in front, or dialled as from most countries."""
    digits = regex.sub(r"\D", "", unicodedata.normalize("NFKC", value))
    plus = "+" if value.lstrip().startswith("+") else ""
    ways = [plus + (digits.removeprefix("00") if plus else digits)]
    if not plus:
        ways += [f"+{digits}"] if digits.startswith("41") else []
        ways += [f"+{digits[2:]}"] if digits.startswith("00") else []
    for way in ways:
        try:
            parsed = phonenumbers.parse(way, "CH")
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return None


def plain_cut(value: str) -> str | None:
    """As many whole graphemes as fit into seven code points; of a longer one, its beginning."""
    clean = regex.sub(r"[\p{Z}\p{Cc}]+", " ", unicodedata.normalize("NFC", value)).strip(" \u200d")
    if len(clean) <= 7:
        return clean or None
    parts = regex.findall(r"\X", clean)
    fitting = max(n for n in range(len(parts)) if len("".join(parts[:n])) <= 7)
    return ("".join(parts[:fitting]) or clean[:7]).strip(" \u200d") or None


def email(raw: pd.Series[Any]) -> pd.Series[Any]:
    """Addresses that may be sent."""
    found = emails.sendable(emails.normalised(raw))
    return found.values


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
