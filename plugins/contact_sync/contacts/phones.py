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
from contact_sync.contacts.converters import Converted
from contact_sync.contacts.countries import region_of
from contact_sync.contacts.phone_patterns import (
    MAX_DIGITS,
    dialling_00,
    from_national,
    valid_international,
)
from contact_sync.contacts.phone_text import Phone, read_phone
from contact_sync.contacts.text_columns import arrow, mask_of, series

_PLAIN = r"^ *\+?[0-9() .\-]+$"
_NOT_PLAIN = r"\(0\)|^ *(?:\d{4}-\d\d?-\d\d?|\d\d?[-.]\d\d?[-.]\d{4}|(?:\d{1,3}\.){3}\d{1,3}) *$"
_PUNCTUATION = r"[() .\-]+"
_FEW_DIGITS = 11  # two numbers in one field have more
UNKNOWN = "?"  # stands for a code of no country


def e164(
    column: pd.Series[Any], country_code: pd.Series[Any], default_country: str | None = None
) -> Converted:
    """The numbers in E.164 (null = none can be sent), and which rows have none for which reason.

    `country_code`: ISO 3166-1 alpha-2 or alpha-3 of each client, for national numbers; where it is
    missing, `default_country`. Reasons: those of `NoPhone`.
    """
    texts = arrow(column)
    given = mask_of(pc.not_equal(pc.utf8_trim_whitespace(texts), ""))
    regions = _regions(country_code, default_country)
    found = _decided(texts, regions)
    rows = np.flatnonzero(given & mask_of(pc.is_null(found)))
    if not len(rows):
        return Converted(series(found))
    left = pa.array(rows)
    read = _read(texts.take(left), regions.take(left))
    numbers = pa.array([one.e164 for one in read], pa.string())
    chosen = np.zeros(len(texts), bool)
    chosen[rows] = True
    problems: dict[str, Mask] = {}
    for row, one in zip(rows, read, strict=True):
        if one.reason is not None:
            problems.setdefault(one.reason, np.zeros(len(texts), bool))[row] = True
    return Converted(series(pc.replace_with_mask(found, pa.array(chosen), numbers)), problems)


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


def _decided(texts: pa.Array, regions: pa.Array) -> pa.Array:
    """The numbers that patterns can decide; null where a text has to be read."""
    plain = mask_of(pc.match_substring_regex(texts, _PLAIN))
    plain &= ~mask_of(pc.match_substring_regex(texts, _NOT_PLAIN))
    kept = pc.if_else(pa.array(plain), texts, None)
    digits = pc.replace_substring_regex(kept, _PUNCTUATION, "")
    international = mask_of(pc.match_substring_regex(digits, r"^\+[1-9][0-9]{6,14}$"))
    zeros = mask_of(pc.match_substring_regex(digits, r"^00[1-9][0-9]{6,14}$"))
    zeros &= mask_of(pc.fill_null(pc.is_in(regions, pa.array(dialling_00())), True))
    whole = np.zeros(len(texts), bool)
    for rows, prefix in ((international, "+"), (zeros, "00")):
        at = np.flatnonzero(rows)
        bare = pc.utf8_slice_codeunits(digits.take(pa.array(at)), len(prefix))
        whole[at] = valid_international(bare)
    bare = pc.replace_substring_regex(digits, r"^(?:\+|00)", "")
    found = pc.if_else(pa.array(whole), pc.binary_join_element_wise("+", bare, ""), None)
    return _with_national(found, texts, digits, regions)


def _with_national(
    found: pa.Array, texts: pa.Array, digits: pa.Array, regions: pa.Array
) -> pa.Array:
    """The same, with each region's plain national numbers."""
    length = np.asarray(pc.fill_null(pc.utf8_length(digits), 0))
    one_number = (length <= _FEW_DIGITS) | ~mask_of(pc.match_substring(texts, " "))
    national = mask_of(pc.match_substring_regex(digits, r"^[0-9]{3,}$")) & one_number
    national &= (length <= MAX_DIGITS) & mask_of(pc.is_null(found)) & mask_of(pc.is_valid(regions))
    if not national.any():
        return found
    encoded = regions.dictionary_encode()
    index = np.asarray(pc.fill_null(encoded.indices, -1))
    for number, region in enumerate(encoded.dictionary.to_pylist()):
        chosen = national & (index == number)
        if chosen.any():
            e164 = from_national(digits.filter(pa.array(chosen)), region)
            found = pc.replace_with_mask(found, pa.array(chosen), e164)
    return found


def _read(texts: pa.Array, regions: pa.Array) -> list[Phone]:
    return [
        read_phone(text, None if region == UNKNOWN else region, known_region=region != UNKNOWN)
        for text, region in zip(texts.to_pylist(), regions.to_pylist(), strict=True)
    ]
