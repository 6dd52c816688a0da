"""The phone rule: what a client's phone column holds, as a valid number in E.164 or not at all.

SendGrid drops the whole contact of a number that isn't E.164 (OAS, `PUT /v3/marketing/contacts`),
so a number is sent only if it is valid for its country by libphonenumber's rules. Plain numbers,
which are nearly all, are decided in whole columns (`phone_dialling`, `phone_patterns`); each
distinct other text is read once (`phone_text`). Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Int64, Mask
from contact_sync.base.vocabulary import ValueProblem
from contact_sync.contacts.arrow_columns import mask_of
from contact_sync.contacts.converters import Converted
from contact_sync.contacts.countries import region_of
from contact_sync.contacts.phone_dialling import FEWEST_ABROAD, Dialled, dials_00, read_dialled
from contact_sync.contacts.phone_patterns import MAX_DIGITS, judge_international
from contact_sync.contacts.phone_text import read_phone
from contact_sync.contacts.text_columns import arrow, only, series

_SURE = r"^\+[0-9]+$"
_PLAIN = r"^ *\+?[0-9() .\-]+$"
_NOT_PLAIN = (
    r"\(0\)|^ *(?:\d{4}[-.]\d\d?[-.]\d\d?|\d\d?[-.]\d\d?[-.]\d{4}|(?:\d{1,3}\.){3}\d{1,3}"
    r"|\+?\d{7,}\.0+) *$"
)
_PUNCTUATION = r"[() .\-]+"
_FEW_DIGITS = 11  # two numbers in one field have more
_FEWEST_NATIONAL = 3
UNKNOWN = "?"  # stands for a code of no country


def e164(
    column: pd.Series[Any], country_code: pd.Series[Any], default_country: str | None = None
) -> Converted:
    """The numbers in E.164 (null = none can be sent), and which rows have none for which reason.

    `country_code`: ISO 3166-1 alpha-2 or alpha-3 of each client, for national numbers; where it is
    missing, `default_country`. Reasons: those of `read_phone`.
    """
    texts = arrow(column)
    regions = _Regions.of(arrow(country_code), default_country)
    phones = _Phones(len(texts))
    _decided(phones, texts, regions)
    _others(phones, texts, regions)
    return Converted(series(phones.numbers()), phones.problems)


@dataclass(frozen=True, slots=True)
class _Regions:
    """Each client's region, by its place in `names`: UNKNOWN for a code of no country, None for
    none."""

    names: list[str | None]
    at: Int64

    @classmethod
    def of(cls, codes: pa.Array, default_country: str | None) -> _Regions:
        encoded, default = codes.dictionary_encode(), region_of(default_country)
        names = [_region(code) or default for code in encoded.dictionary.to_pylist()]
        at = np.asarray(pc.fill_null(encoded.indices, len(names)), np.int64)
        return cls([*names, default], at)

    def where(self, test: Callable[[str | None], bool]) -> Mask:
        """Whose region is as `test` says."""
        return np.array([test(name) for name in self.names], bool)[self.at]


def _region(code: str | None) -> str | None:
    try:
        return region_of(code)
    except LookupError:
        return UNKNOWN


class _Phones:
    """What is known so far: numbers, and rows without one by reason; `open` = not decided."""

    def __init__(self, rows: int) -> None:
        self.open = np.ones(rows, bool)
        self.problems: dict[ValueProblem, Mask] = {}
        self._found = [pa.nulls(1, pa.string())]
        self._at = np.zeros(rows, np.int64)

    def are(self, rows: Int64, numbers: pa.Array) -> None:
        """These rows have these numbers; a null decides nothing."""
        known = _known(numbers)
        first = sum(map(len, self._found))
        self._at[rows[known]] = first + np.flatnonzero(known)
        self._found.append(numbers)
        self.open[rows[known]] = False

    def are_none(self, rows: Int64 | np.int64, reason: ValueProblem) -> None:
        """These rows have no number, for this reason."""
        self.problems.setdefault(reason, np.zeros(len(self.open), bool))[rows] = True
        self.open[rows] = False

    def numbers(self) -> pa.Array:
        """Each row's number, null where it has none."""
        return pa.concat_arrays(self._found).take(pa.array(self._at))


def _plain_digits(texts: pa.Array) -> pa.Array:
    """The digits of each plain text, with its plus; null where a text has to be read."""
    sure = mask_of(pc.match_substring_regex(texts, _SURE))
    return only(texts, ~sure, _digits)


def _digits(texts: pa.Array) -> pa.Array:
    plain = mask_of(pc.match_substring_regex(texts, _PLAIN))
    plain &= ~mask_of(pc.match_substring_regex(texts, _NOT_PLAIN))
    kept = pc.if_else(pa.array(plain), texts, None)
    return pc.replace_substring_regex(kept, _PUNCTUATION, "")


def _decided(phones: _Phones, texts: pa.Array, regions: _Regions) -> None:
    """The numbers of plain texts that patterns can judge, all of them at once."""
    digits = _plain_digits(texts)
    length, has_plus = _length(digits), mask_of(pc.starts_with(digits, "+"))
    zeros = regions.where(lambda name: name in (None, UNKNOWN) or dials_00(str(name)))
    zeros &= _begins(digits, "00", length)
    rows = np.flatnonzero(_begins(digits, "+", length) | zeros)
    numbers = only(digits.take(pa.array(rows)), zeros[rows], _with_plus)
    dialled, national, abroad = _dialled(texts, digits, regions, ~has_plus & ~zeros)
    numbers = pa.concat_arrays([numbers, abroad.drop_null(), national.drop_null()])
    rows = np.concatenate([rows, dialled[_known(abroad)], dialled[_known(national)]])
    whole = np.arange(len(rows)) >= len(rows) - _known(national).sum()
    judged = judge_international(numbers, whole)
    phones.are(rows, pc.if_else(pa.array(judged.valid), numbers, None))
    for reason, wrong in (
        (ValueProblem.NUMBER_TOO_SHORT, judged.too_short),
        (ValueProblem.NUMBER_TOO_LONG, judged.too_long),
        (ValueProblem.NOT_ASSIGNED, judged.not_assigned),
    ):
        phones.are_none(rows[wrong & has_plus[rows]], reason)


def _known(numbers: pa.Array) -> Mask:
    return mask_of(pc.is_valid(numbers))


def _length(digits: pa.Array) -> Int64:
    return np.asarray(pc.fill_null(pc.binary_length(digits), 0), np.int64)


def _begins(digits: pa.Array, head: str, length: Int64) -> Mask:
    """Which begin with `head` and a calling code."""
    digits_behind = length - len(head)
    begins = mask_of(pc.starts_with(digits, head)) & ~mask_of(pc.starts_with(digits, f"{head}0"))
    return begins & (digits_behind >= FEWEST_ABROAD) & (digits_behind <= MAX_DIGITS)


def _with_plus(digits: pa.Array) -> pa.Array:
    """+ for 00."""
    return pc.binary_join_element_wise("+", pc.utf8_slice_codeunits(digits, 2), "")


def _dialled(
    texts: pa.Array, digits: pa.Array, regions: _Regions, rows: Mask
) -> tuple[Int64, pa.Array, pa.Array]:
    """Those of the rows that hold one number as it is dialled in a region, with what it is if that
    is valid: a number of the region, or one abroad (see `Dialled`)."""
    length = _length(digits)
    dialled = rows & (length >= _FEWEST_NATIONAL) & (length <= len("00") + MAX_DIGITS)
    dialled &= regions.where(lambda name: name not in (None, UNKNOWN))
    at = np.flatnonzero(dialled)
    has_space = mask_of(pc.match_substring(texts.take(pa.array(at)), " "))
    at = at[(length[at] <= _FEW_DIGITS) | ~has_space]  # else they may be two numbers
    places, read = [at[:0]], [Dialled(pa.nulls(0, pa.string()), pa.nulls(0, pa.string()))]
    for region in np.unique(regions.at[at]):
        places.append(at[regions.at[at] == region])
        chosen = digits.take(pa.array(places[-1]))
        read.append(read_dialled(chosen, str(regions.names[region])))
    national, abroad = map(pa.concat_arrays, zip(*read, strict=True))
    return np.concatenate(places), national, abroad


def _others(phones: _Phones, texts: pa.Array, regions: _Regions) -> None:
    """The numbers of texts that have to be read."""
    given = mask_of(pc.not_equal(pc.utf8_trim_whitespace(texts), ""))
    rows = np.flatnonzero(given & phones.open)
    numbers = []
    for row, text in zip(rows, texts.take(pa.array(rows)).to_pylist(), strict=True):
        region = regions.names[regions.at[row]]
        known = region != UNKNOWN
        phone = read_phone(text, region if known else None, known_region=known)
        numbers.append(phone.e164)
        if phone.reason is not None:
            phones.are_none(row, phone.reason)
    phones.are(rows, pa.array(numbers, pa.string()))
