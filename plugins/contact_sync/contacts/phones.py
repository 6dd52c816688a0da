"""The phone rule: what a client's phone column holds, as a valid number in E.164 or not at all.

SendGrid drops the whole contact of a number that isn't E.164 (OAS, `PUT /v3/marketing/contacts`),
so a number is sent only if it is valid for its country by libphonenumber's rules. Plain numbers,
which are nearly all, are decided in whole columns (`phone_patterns`); each distinct other text is
read once (`phone_text`). Pure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Mask
from contact_sync.base.vocabulary import ValueProblem
from contact_sync.contacts.converters import Converted
from contact_sync.contacts.countries import region_of
from contact_sync.contacts.phone_patterns import (
    MAX_DIGITS,
    dialling_00,
    from_national,
    judge_international,
)
from contact_sync.contacts.phone_text import read_phone
from contact_sync.contacts.text_columns import arrow, mask_of, series

_PLAIN = r"^ *\+?[0-9() .\-]+$"
_NOT_PLAIN = (
    r"\(0\)|^ *(?:\d{4}-\d\d?-\d\d?|\d\d?[-.]\d\d?[-.]\d{4}|(?:\d{1,3}\.){3}\d{1,3}"
    r"|\+?\d{7,}\.0+) *$"
)
_PUNCTUATION = r"[() .\-]+"
_FEW_DIGITS = 11  # two numbers in one field have more
UNKNOWN = "?"  # stands for a code of no country


def e164(
    column: pd.Series[Any], country_code: pd.Series[Any], default_country: str | None = None
) -> Converted:
    """The numbers in E.164 (null = none can be sent), and which rows have none for which reason.

    `country_code`: ISO 3166-1 alpha-2 or alpha-3 of each client, for national numbers; where it is
    missing, `default_country`. Reasons: those of `read_phone`.
    """
    texts = arrow(column)
    regions = _regions(country_code, default_country)
    digits = _plain_digits(texts)
    found, problems = _international(digits, regions)
    found = _with_national(found, texts, digits, regions)
    given = mask_of(pc.not_equal(pc.utf8_trim_whitespace(texts), ""))
    rest = given & mask_of(pc.is_null(found))
    for wrong in problems.values():
        rest &= ~wrong
    return Converted(series(_with_others(found, problems, texts, regions, rest)), problems)


def _regions(country_code: pd.Series[Any], default_country: str | None) -> pa.Array:
    """Each client's region, UNKNOWN for a code of no country, null for none."""
    encoded = arrow(country_code).dictionary_encode()
    names = [_region(code) for code in encoded.dictionary.to_pylist()]
    regions = pa.array(names, pa.string()).take(encoded.indices)
    return pc.fill_null(regions, region_of(default_country)) if default_country else regions


def _region(code: str | None) -> str | None:
    try:
        return region_of(code)
    except LookupError:
        return UNKNOWN


def _plain_digits(texts: pa.Array) -> pa.Array:
    """The digits of each plain text, with its plus; null where a text has to be read."""
    plain = mask_of(pc.match_substring_regex(texts, _PLAIN))
    plain &= ~mask_of(pc.match_substring_regex(texts, _NOT_PLAIN))
    kept = pc.if_else(pa.array(plain), texts, None)
    return pc.replace_substring_regex(kept, _PUNCTUATION, "")


def _international(
    digits: pa.Array, regions: pa.Array
) -> tuple[pa.Array, dict[ValueProblem, Mask]]:
    """The valid numbers with + or 00 in front, and which ones are certainly none and why."""
    plus = mask_of(pc.match_substring_regex(digits, r"^\+[1-9][0-9]{6,14}$"))
    zeros = mask_of(pc.match_substring_regex(digits, r"^00[1-9][0-9]{6,14}$"))
    zeros &= mask_of(pc.fill_null(pc.is_in(regions, dialling_00()), True))
    rows = np.flatnonzero(plus | zeros)
    bare = pc.replace_substring_regex(digits.take(pa.array(rows)), r"^(?:\+|00)", "")
    judged = judge_international(bare)
    chosen = np.zeros(len(digits), bool)
    chosen[rows] = judged.valid
    numbers = pc.binary_join_element_wise("+", bare.filter(pa.array(judged.valid)), "")
    found = pa.nulls(len(digits), pa.string())
    problems = {}
    for reason, wrong in (
        (ValueProblem.NUMBER_TOO_SHORT, judged.too_short),
        (ValueProblem.NUMBER_TOO_LONG, judged.too_long),
        (ValueProblem.NOT_ASSIGNED, judged.not_assigned),
    ):
        problems[reason] = np.zeros(len(digits), bool)
        problems[reason][rows] = wrong & plus[rows]
    return pc.replace_with_mask(found, pa.array(chosen), numbers), problems


def _with_national(
    found: pa.Array, texts: pa.Array, digits: pa.Array, regions: pa.Array
) -> pa.Array:
    """The same, with each region's plain national numbers."""
    length = np.asarray(pc.fill_null(pc.utf8_length(digits), 0))
    one_number = (length <= _FEW_DIGITS) | ~mask_of(pc.match_substring(texts, " "))
    national = mask_of(pc.match_substring_regex(digits, r"^[0-9]{3,}$")) & one_number
    national &= (length <= MAX_DIGITS) & mask_of(pc.is_null(found)) & mask_of(pc.is_valid(regions))
    rows = np.flatnonzero(national)
    encoded = regions.take(pa.array(rows)).dictionary_encode()
    for number, region in enumerate(encoded.dictionary.to_pylist()):
        chosen = np.zeros(len(texts), bool)
        chosen[rows] = np.asarray(encoded.indices) == number
        numbers = from_national(digits.filter(pa.array(chosen)), region)
        found = pc.replace_with_mask(found, pa.array(chosen), numbers)
    return found


def _with_others(
    found: pa.Array,
    problems: dict[ValueProblem, Mask],
    texts: pa.Array,
    regions: pa.Array,
    rest: Mask,
) -> pa.Array:
    """The same, with the numbers of texts that have to be read; adds why others have none."""
    rows = np.flatnonzero(rest)
    at = pa.array(rows)
    numbers = []
    for row, text, region in zip(
        rows, texts.take(at).to_pylist(), regions.take(at).to_pylist(), strict=True
    ):
        known = region != UNKNOWN
        phone = read_phone(text, region if known else None, known_region=known)
        numbers.append(phone.e164)
        if phone.reason is not None:
            problems.setdefault(phone.reason, np.zeros(len(texts), bool))[row] = True
    return pc.replace_with_mask(found, pa.array(rest), pa.array(numbers, pa.string()))
