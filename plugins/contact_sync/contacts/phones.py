"""The phone rule: numbers as E.164, read with the client's country. Pure.

phonenumbers sees only the distinct values that a vectorised pattern can't decide.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pandas as pd
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Mask
from contact_sync.base.vocabulary import ValueProblem
from contact_sync.contacts.converters import Converted
from contact_sync.contacts.text_columns import arrow, mask_of, null_if_empty, series

_E164 = r"^\+[1-9][0-9]{6,14}$"
_IN_NUMBERS = r"[\p{Z}\p{Cc}\-.()/]+"


def e164(column: pd.Series[Any], region: pd.Series[Any]) -> Converted:
    """Numbers as E.164; national ones are read with the ISO country code in `region`.

    Reason: `invalid`. SendGrid drops the whole row of a number that isn't E.164.
    """
    array = arrow(column)
    odd = _not_e164(array)
    if not odd.any():
        return Converted(column)
    cleaned = pc.replace_substring_regex(array.filter(pa.array(odd)), _IN_NUMBERS, "")
    cleaned = null_if_empty(pc.replace_substring_regex(cleaned, r"^00", "+"))
    array = pc.replace_with_mask(array, pa.array(odd), cleaned)
    unsure = _not_e164(array)
    chosen = pa.array(unsure)
    numbers, regions = array.filter(chosen).to_pylist(), arrow(region).filter(chosen).to_pylist()
    found = [_parsed(number, code) for number, code in zip(numbers, regions, strict=True)]
    array = pc.replace_with_mask(array, chosen, pa.array(found, pa.string()))
    return Converted(series(array), {ValueProblem.INVALID: unsure & mask_of(pc.is_null(array))})


def _not_e164(array: pa.Array) -> Mask:
    return ~mask_of(pc.match_substring_regex(array, _E164)) & mask_of(pc.is_valid(array))


@lru_cache(maxsize=10_000)
def _parsed(number: str, country_code: str | None) -> str | None:
    try:
        parsed = phonenumbers.parse(number, country_code)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:  # "possible locally" isn't enough
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
