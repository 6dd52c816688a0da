"""Whole columns of numbers are judged by patterns exactly as libphonenumber judges each number."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import phonenumbers
import pyarrow as pa
import pytest
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberType

from contact_sync.contacts import phones
from contact_sync.contacts.phone_first_digits import digits_told, full_match
from contact_sync.contacts.phone_patterns import first_digits, numbers_of
from contact_sync.contacts.phone_text import read_phone
from tests.support.columns import column, values

NUMBERS = 10_000
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = [
    PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER, PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL,
]  # fmt: skip


def national(chance: random.Random, region: str) -> str:
    """A number of a country, or one that differs from it in some digits."""
    example = phonenumbers.example_number_for_type(region, chance.choice(KINDS))
    digits = list(phonenumbers.national_significant_number(example) if example else "12345678")
    for _ in range(chance.choice([0, 0, 1, 2, 4, 8])):
        digits[chance.randrange(len(digits))] = chance.choice("0123456789")
    if chance.random() < 0.15:
        digits.append(chance.choice("0123456789"))
    elif chance.random() < 0.15 and len(digits) > 4:
        digits.pop()
    return "".join(digits)


def typed(chance: random.Random) -> tuple[str, str]:
    """A plain number as people type it, and the client's country."""
    region = chance.choice(REGIONS)
    number = national(chance, region)
    plan = PhoneMetadata.metadata_for_region(region, None)
    assert plan is not None
    prefix, calling = plan.national_prefix or "", str(plan.country_code)
    text = chance.choices(
        [
            f"+{calling}{number}", f"+{calling}{prefix or 0}{number}", f"00{calling}{number}",
            calling + number, prefix + number, number,
        ],
        [40, 5, 10, 5, 30, 10],
    )[0]  # fmt: skip
    if chance.random() < 0.3:
        text = text[:5] + chance.choice([" ", "-", ".", " ("]) + text[5:]
    return text, region if chance.random() < 0.93 else chance.choice(REGIONS)


def readings(text: str, region: str) -> Iterator[str]:
    """As it stands; without its plus, as some export it; dialled as from most countries."""
    digits = "".join(char for char in text if char.isdecimal())
    plus = "+" if text.startswith("+") else ""
    yield plus + (digits.removeprefix("00") if plus else digits)
    if not plus and digits.startswith(str(phonenumbers.country_code_for_region(region))):
        yield f"+{digits}"
    if digits.startswith("00"):
        yield f"+{digits[2:]}"


def by_the_library(text: str, region: str) -> str | None:
    """The first reading that is a valid number."""
    for number in readings(text, region):
        try:
            parsed = phonenumbers.parse(number, region)
        except NumberParseException:
            continue
        e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        if phonenumbers.is_valid_number(parsed) and len(e164) <= 16:
            return e164
    return None


def test_B15_patterns_and_library_agree_on_many_random_numbers() -> None:
    """Valid ones, wrong ones, of every country; and most of them cost the library nothing."""
    chance = random.Random(1)
    drawn = [typed(chance) for _ in range(NUMBERS)]
    texts, regions = map(list, zip(*drawn, strict=True))
    read_phone.cache_clear()
    found = phones.e164(column(texts), column(regions))
    read = read_phone.cache_info().misses
    wanted = [by_the_library(text, region) for text, region in drawn]
    differ = [
        (text, region, got, want)
        for (text, region), got, want in zip(drawn, values(found.values), wanted, strict=True)
        if got != want
    ]
    assert differ == []
    valid = sum(number is not None for number in wanted)
    assert valid > NUMBERS / 4
    assert read < NUMBERS * 0.45, read
    without = np.sum(list(found.problems.values()), axis=0)
    none = [int(number is None) for number in wanted]
    assert list(map(int, without)) == none, "one reason each"


PLAIN = [
    ("+44 7911 123456", None, "+447911123456"),
    ("07911 123456", "GB", "+447911123456"),
    ("447911123456", "GB", "+447911123456"),
    ("00447911123456", "US", "+447911123456"),
    ("0044 7911123456", None, "+447911123456"),
    ("0044 7911123456", "XX", "+447911123456"),
    ("013614904046", "CN", "+8613614904046"),
    ("008613614904046", "CN", "+8613614904046"),
    ("09016981027", "JP", "+819016981027"),
    ("00819016981027", "JP", "+819016981027"),
    ("1 212 505 7181", "US", "+12125057181"),
    ("0012125057181", "US", "+12125057181"),
    ("06 1234 5678", "IT", "+390612345678"),
]


def test_B15_plain_numbers_cost_the_library_nothing() -> None:
    """In every form that people dial."""
    read_phone.cache_clear()
    texts, regions, wanted = map(list, zip(*PLAIN, strict=True))
    found = phones.e164(column(texts), column(regions))
    assert values(found.values) == wanted
    assert read_phone.cache_info().misses == 0


def test_B15_first_digits_tell_what_the_patterns_say() -> None:
    """For each plan and length: of random numbers, and of valid ones that were changed a little."""
    chance = random.Random(2)
    by_pattern = 0
    for calling in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        plan, head = numbers_of(calling), f"+{calling}"
        for length, pattern in plan.by_length.items():
            seen = [chance.randrange(10**length) for _ in range(20)]
            seen += [int(national(chance, chance.choice(REGIONS))) for _ in range(5)]
            texts = pa.array([f"{head}{n:0{length}d}" for n in seen])
            matches = [full_match(texts, head, p) for p in (pattern, plan.general)]
            fits = np.array([len(text) == len(head) + length for text in texts.to_pylist()])
            assert list(plan.hold(texts, head)[fits]) == list(np.all(matches, axis=0)[fits])
            by_pattern += first_digits(plan.general, pattern, length) is None
    assert by_pattern <= 5, "tables tell nearly everything"


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (r"\d{4,15}", 0),
        (r"7\d{9}", 1),
        (r"(?:1\d)2\d\d", 3),
        (r"(?:1|2[3-5]\d)\d{3}", 2),
        (r"(?:1|23)\d[4-6]\d?", 4),
        (r"(?:\d{2}[1-3]){2}\d*", 8),
        (r"1?2{2,3}\d\d", 4),
        (r"(?:1(?:2|3\d4)|\d{5})\d", 4),
        (r"(?=1)\d", 8),
    ],
)
def test_B15_a_pattern_says_nothing_of_the_digits_behind(pattern: str, told: int) -> None:
    """What isn't understood of a pattern is left to the pattern."""
    assert digits_told(pattern) == told
