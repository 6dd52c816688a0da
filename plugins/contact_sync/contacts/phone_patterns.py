"""Phone numbers that whole columns can decide, by patterns from libphonenumber's metadata. Pure.

What is decided here is exactly what the library would answer (tests/unit/contacts compares both on
a large random set); whatever a pattern can't decide for certain is left to `phone_text`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from phonenumbers import PhoneMetadata, PhoneNumberDesc

from contact_sync.base.arrays import Int64, Mask
from contact_sync.contacts.text_columns import mask_of

MAX_DIGITS = 15  # ITU E.164: calling code and national number together
NO_REGION = "001"  # libphonenumber's name for calling codes of no country
_KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip",
    "personal_number", "pager", "uan", "voicemail",
)  # fmt: skip
_NEVER = r"[^\s\S]"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The valid national numbers of one numbering plan: a pattern for each set of lengths."""

    general: str
    by_lengths: tuple[tuple[tuple[int, ...], str], ...]

    def hold(self, national: pa.Array) -> Mask:
        """Which national numbers (digits only) are valid."""
        length = np.asarray(pc.utf8_length(national))
        found = np.zeros(len(national), bool)
        for lengths, pattern in self.by_lengths:
            found |= np.isin(length, lengths) & _full_match(national, pattern)
        return found & _full_match(national, self.general)


@dataclass(frozen=True, slots=True)
class Judged:
    """What patterns say of international numbers: valid as they stand, or certainly none because
    they are too short, too long or not given out. Neither: the library has to read them, because
    there may be a national prefix in them, or no calling code."""

    valid: Mask
    too_short: Mask
    too_long: Mask
    not_assigned: Mask


def judge_international(digits: pa.Array) -> Judged:
    """Judge numbers that begin with their calling code, without the plus."""
    judged = Judged(*(np.zeros(len(digits), bool) for _ in range(4)))
    code = _calling_codes(digits)
    too_many = np.asarray(pc.utf8_length(digits)) > MAX_DIGITS
    for calling in map(int, np.unique(code[code > 0])):
        rows = np.flatnonzero(code == calling)
        national = pc.utf8_slice_codeunits(digits.take(pa.array(rows)), len(str(calling)))
        certain = ~_has_prefix(calling, national)
        valid = certain & _numbers_of(calling).hold(national) & ~too_many[rows]
        wrong = certain & ~valid
        length = np.asarray(pc.utf8_length(national))
        possible = set(_general(_metadata_of(calling)[0]).possible_length)
        short, long = length < min(possible), (length > max(possible)) | too_many[rows]
        local = np.isin(length, _general(_metadata_of(calling)[0]).possible_length_local_only)
        judged.valid[rows] = valid
        judged.too_short[rows] = wrong & (short | local)
        judged.too_long[rows] = wrong & long
        judged.not_assigned[rows] = wrong & ~short & ~local & ~long
    return judged


def from_national(digits: pa.Array, region: str) -> pa.Array:
    """The numbers of one region as E.164 where they are plain national ones, else null."""
    plan = _national_plan(region)
    if plan is None:
        return pa.nulls(len(digits), pa.string())
    elsewhere = mask_of(pc.match_substring_regex(digits, plan.elsewhere))
    prefixed = np.zeros(len(digits), bool)
    if plan.prefix:
        prefixed = mask_of(pc.starts_with(digits, plan.prefix))
        prefixed &= ~_full_match(digits, plan.numbers.general)
    bare = pc.utf8_slice_codeunits(digits, len(plan.prefix))
    again = mask_of(pc.starts_with(digits, plan.prefix)) if plan.prefix else prefixed
    national = pc.if_else(pa.array(prefixed), bare, digits)
    sure = plan.numbers.hold(national) & (prefixed | ~again)
    sure &= ~elsewhere | (prefixed & (plan.prefix == plan.calling))
    sure &= np.asarray(pc.utf8_length(national)) <= MAX_DIGITS - len(plan.calling)
    whole = pc.binary_join_element_wise(f"+{plan.calling}", national, "")
    return pc.if_else(pa.array(sure), whole, None)


@dataclass(frozen=True, slots=True)
class _NationalPlan:
    """How a region's own numbers are dialled; `elsewhere` begins what may mean something else."""

    calling: str
    prefix: str
    elsewhere: str
    numbers: Numbers


@cache
def _national_plan(region: str) -> _NationalPlan | None:
    """None where the region's national prefix is more than digits to be left out."""
    if region not in phonenumbers.SUPPORTED_REGIONS:
        return None
    data = _metadata(region)
    prefix = data.national_prefix_for_parsing or ""
    if data.national_prefix_transform_rule or not (prefix.isdecimal() or not prefix):
        return None
    beginnings = [str(data.country_code), data.international_prefix or _NEVER]
    elsewhere = "^(?:" + "|".join(f"(?:{beginning})" for beginning in beginnings) + ")"
    return _NationalPlan(str(data.country_code), prefix, elsewhere, _numbers([data]))


@cache
def _numbers_of(calling: int) -> Numbers:
    return _numbers(_metadata_of(calling))


def _metadata_of(calling: int) -> list[PhoneMetadata]:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[calling]
    return [_metadata(region, calling) for region in regions]


def _metadata(region: str, calling: int = 0) -> PhoneMetadata:
    if region == NO_REGION:
        found = PhoneMetadata.metadata_for_nongeo_region(calling, None)
    else:
        found = PhoneMetadata.metadata_for_region(region, None)
    assert found is not None, region  # noqa: S101 of the library's own list
    return found


@cache
def dialling_00() -> pa.Array:
    """The regions that dial 00 to call abroad, and nothing else; worked out once a process."""
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    return pa.array([name for name in regions if _metadata(name).international_prefix == "00"])


def _numbers(plans: list[PhoneMetadata]) -> Numbers:
    kinds = [
        (_lengths(kind, plan), kind.national_number_pattern)
        for plan in plans
        for kind in (getattr(plan, name) for name in _KINDS)
        if kind is not None and kind.national_number_pattern
    ]
    by_lengths = [
        (lengths, _either(pattern for _, pattern in group))
        for lengths, group in groupby(sorted(set(kinds)), key=itemgetter(0))
    ]
    general = _either(str(_general(plan).national_number_pattern) for plan in plans)
    return Numbers(general, tuple(by_lengths))


def _general(plan: PhoneMetadata) -> PhoneNumberDesc:
    assert plan.general_desc is not None  # noqa: S101 every plan has one
    return plan.general_desc


def _lengths(kind: PhoneNumberDesc, plan: PhoneMetadata) -> tuple[int, ...]:
    """The lengths of one kind of number; a kind that names none has those of its plan."""
    return tuple(kind.possible_length or _general(plan).possible_length)


def _either(patterns: Iterable[str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def _full_match(texts: pa.Array, pattern: str) -> Mask:
    return mask_of(pc.match_substring_regex(texts, f"^(?:{pattern})$"))


def _has_prefix(calling: int, national: pa.Array) -> Mask:
    """Which national numbers begin with what the library may take for a national prefix."""
    prefix = _metadata_of(calling)[0].national_prefix_for_parsing
    if not prefix:
        return np.zeros(len(national), bool)
    return mask_of(pc.match_substring_regex(national, f"^(?:{prefix})"))


def _calling_codes(digits: pa.Array) -> Int64:
    """The calling code that each number begins with, 0 = none; none begins another one."""
    head = pc.cast(pc.utf8_slice_codeunits(digits, 0, 3), pa.int64())
    return np.asarray(_code_by_head()[np.asarray(head)], np.int64)


@cache
def _code_by_head() -> Int64:
    codes = np.zeros(1000, np.int64)
    for calling in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        width = 10 ** (3 - len(str(calling)))
        codes[calling * width : (calling + 1) * width] = calling
    return codes
