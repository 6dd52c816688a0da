"""What digits mean where they are dialled: a national prefix, an exit code, the country's own code.
Pure.

It follows how libphonenumber reads a number of a region; whatever isn't certain is left to
`phone_text`.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Mask
from contact_sync.contacts.arrow_columns import mask_of
from contact_sync.contacts.phone_first_digits import full_match
from contact_sync.contacts.phone_patterns import (
    MAX_DIGITS,
    general_of,
    lengths,
    numbers_of,
    plan_in,
    prefix_length,
    prefix_pattern,
)

FEWEST_ABROAD = 7  # digits of a number with its calling code that may be decided here
_NEVER = r"[^\s\S]"


class Dialled(NamedTuple):
    """What digits may be, in the form of E.164, null = not for certain. `national`: a number of
    the region. `abroad`: they begin with the region's calling code or with 00 and are certainly no
    number of the region."""

    national: pa.Array
    abroad: pa.Array


@cache
def dials_00(region: str) -> bool:
    """Whether 00 at the beginning of a number means abroad in the region, whatever follows."""
    return f"{plan_in(region).international_prefix}|".startswith("00|")


def read_dialled(digits: pa.Array, region: str) -> Dialled:
    """What digits mean in a region of `phonenumbers.SUPPORTED_REGIONS`."""
    plan = plan_in(region)
    calling, own = str(plan.country_code), plan.national_prefix or ""
    taken = prefix_length(digits, plan)
    has_prefix = taken > 0
    understood, bare = ~has_prefix, digits
    if has_prefix.any():
        bare = pc.replace_substring_regex(digits, prefix_pattern(plan), "", max_replacements=1)
        understood |= (taken == len(own)) & mask_of(pc.starts_with(digits, own))
        understood |= not plan.national_prefix_transform_rule
    exit_code = _match(digits, f"^(?:{plan.international_prefix or _NEVER})")
    own_code = mask_of(pc.starts_with(digits, calling))
    length = lengths(bare)
    sure = understood & ~exit_code & (length <= MAX_DIGITS - len(calling))
    sure &= ~own_code | (has_prefix & (own == calling))
    rows = np.flatnonzero(sure & has_prefix)
    if len(rows):
        general = general_of(plan)
        sure[rows] = np.isin(length[rows], general.possible_length)
        pattern = str(general.national_number_pattern)  # such a number may be whole as it is
        sure[rows] &= ~full_match(digits.take(pa.array(rows)), "", pattern)
    national = pc.binary_join_element_wise(f"+{calling}", bare, "")
    abroad = _abroad(digits, bare, calling, understood & ~exit_code, own_code & ~has_prefix)
    return Dialled(pc.if_else(pa.array(sure), national, None), abroad)


def _abroad(
    digits: pa.Array, bare: pa.Array, calling: str, maybe: Mask, own_code: Mask
) -> pa.Array:
    """The digits with a plus in front, where neither they nor what is `bare` of them are a number
    of the calling code."""
    zeros = mask_of(pc.starts_with(digits, "00"))
    length = lengths(digits) - 2 * zeros
    maybe = maybe & (own_code | zeros) & (length >= FEWEST_ABROAD) & (length <= MAX_DIGITS)
    if not maybe.any():
        return pa.nulls(len(digits), pa.string())
    numbers = numbers_of(int(calling))
    for reading, rows in ((digits, maybe), (bare, maybe & (lengths(bare) < lengths(digits)))):
        at = np.flatnonzero(rows)
        maybe[at] &= ~numbers.hold(reading.take(pa.array(at)))
    behind = pc.if_else(pa.array(zeros), pc.utf8_slice_codeunits(digits, 2), digits)
    return pc.if_else(pa.array(maybe), pc.binary_join_element_wise("+", behind, ""), None)


def _match(texts: pa.Array, pattern: str) -> Mask:
    return mask_of(pc.match_substring_regex(texts, pattern))
