"""Phone numbers that whole columns can decide, by patterns from libphonenumber's metadata. Pure.

What is decided here is exactly what the library would answer (tests/unit/contacts compares both on
a large random set); whatever a pattern can't decide for certain is left to `phone_text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from phonenumbers import PhoneMetadata, PhoneNumberDesc

from contact_sync.base.arrays import Int64, Mask
from contact_sync.contacts.arrow_columns import mask_of, texts_of
from contact_sync.contacts.phone_first_digits import FirstDigits, full_match

MAX_DIGITS = 15  # ITU E.164: calling code and national number together
NO_REGION = "001"  # libphonenumber's name for calling codes of no country
_KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip",
    "personal_number", "pager", "uan", "voicemail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Numbers:
    """The valid national numbers of one numbering plan: a pattern for each length."""

    general: str
    by_length: dict[int, str]

    def hold(self, texts: pa.Array, head: str = "") -> Mask:
        """Which texts, each `head`, such as "+44", and digits, are valid national numbers there."""
        starts, data = texts_of(texts)
        octets, begins, length = np.frombuffer(data, np.uint8), starts[:-1], np.diff(starts)
        found = np.zeros(len(texts), bool)
        for digits, pattern in self.by_length.items():
            rows = np.flatnonzero(length == len(head) + digits)
            if not len(rows):
                continue
            if table := first_digits(self.general, pattern, digits):
                found[rows] = table.hold(octets, begins[rows] + len(head))
            else:
                given = texts.take(pa.array(rows))
                found[rows] = full_match(given, head, pattern)
                found[rows] &= full_match(given, head, self.general)
        return found


@dataclass(frozen=True, slots=True)
class Judged:
    """What patterns say of international numbers: valid as they stand, or certainly none because
    they are too short, too long or not given out. Neither: the library has to read them, because
    there may be a national prefix in them, or no calling code."""

    valid: Mask
    too_short: Mask
    too_long: Mask
    not_assigned: Mask


def judge_international(numbers: pa.Array, whole: Mask) -> Judged:
    """Judge numbers in the form of E.164: a plus and at least three digits.

    `whole`: of which numbers it is known that no national prefix is in them.
    """
    judged = Judged(*(np.zeros(len(numbers), bool) for _ in range(4)))
    code = _calling_codes(numbers)
    for calling in map(int, np.unique(code[code > 0])):
        rows, head = np.flatnonzero(code == calling), f"+{calling}"
        given, plan = numbers.take(pa.array(rows)), plans_of(calling)[0]
        certain = whole[rows] | (prefix_length(given, plan, head) == 0)
        valid = certain & numbers_of(calling).hold(given, head)
        judged.valid[rows] = valid
        wrong = certain & ~valid
        if not wrong.any():
            continue
        length, general = lengths(given) - len(head), general_of(plan)
        short, long = length < min(general.possible_length), length > max(general.possible_length)
        short |= np.isin(length, general.possible_length_local_only)
        judged.too_short[rows] = wrong & short
        judged.too_long[rows] = wrong & long
        judged.not_assigned[rows] = wrong & ~short & ~long
    return judged


@cache
def first_digits(general: str, pattern: str, length: int) -> FirstDigits | None:
    return FirstDigits.of((pattern, general), length)


@cache
def numbers_of(calling: int) -> Numbers:
    return _numbers(plans_of(calling))


def plans_of(calling: int) -> list[PhoneMetadata]:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[calling]
    return [plan_in(region, calling) for region in regions]


def plan_in(region: str, calling: int = 0) -> PhoneMetadata:
    if region == NO_REGION:
        found = PhoneMetadata.metadata_for_nongeo_region(calling, None)
    else:
        found = PhoneMetadata.metadata_for_region(region, None)
    assert found is not None, region  # noqa: S101 of the library's own list
    return found


def _numbers(plans: list[PhoneMetadata]) -> Numbers:
    by_length: dict[int, set[str]] = {}
    for plan in plans:
        for kind in (getattr(plan, name) for name in _KINDS):
            if kind is not None and kind.national_number_pattern:
                for length in kind.possible_length or general_of(plan).possible_length:
                    by_length.setdefault(length, set()).add(kind.national_number_pattern)
    general = _either(str(general_of(plan).national_number_pattern) for plan in plans)
    patterns = {length: _either(sorted(kinds)) for length, kinds in by_length.items()}
    return Numbers(general, patterns)


def general_of(plan: PhoneMetadata) -> PhoneNumberDesc:
    assert plan.general_desc is not None  # noqa: S101 every plan has one
    return plan.general_desc


def _either(patterns: Iterable[str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def lengths(texts: pa.Array) -> Int64:
    """Of texts in ASCII."""
    return np.asarray(pc.binary_length(texts), np.int64)


def prefix_length(texts: pa.Array, plan: PhoneMetadata, head: str = "") -> Int64:
    """How many digits behind `head` the library may take for a national prefix."""
    prefix = plan.national_prefix_for_parsing or ""
    if prefix.isdecimal():
        return mask_of(pc.starts_with(texts, head + prefix)) * np.int64(len(prefix))
    if not prefix:
        return np.zeros(len(texts), np.int64)
    pattern = prefix_pattern(plan, head)
    without = pc.replace_substring_regex(texts, pattern, head, max_replacements=1)
    return lengths(texts) - lengths(without)


def prefix_pattern(plan: PhoneMetadata, head: str = "") -> str:
    return f"^{re.escape(head)}(?:{plan.national_prefix_for_parsing or ''})"


def _calling_codes(numbers: pa.Array) -> Int64:
    """The calling code behind each plus, 0 = none; no calling code begins another one."""
    starts, data = texts_of(numbers)
    at, octets = starts[:-1], np.frombuffer(data, np.uint8)
    head = sum((octets[at + n] - np.int64(ord("0"))) * 10 ** (3 - n) for n in (1, 2, 3))
    return np.asarray(_code_by_head()[head], np.int64)


@cache
def _code_by_head() -> Int64:
    codes = np.zeros(1000, np.int64)
    for calling in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        width = 10 ** (3 - len(str(calling)))
        codes[calling * width : (calling + 1) * width] = calling
    return codes
