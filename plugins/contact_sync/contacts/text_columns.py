"""Whole Arrow-backed pandas columns of text: to Arrow and back, cleaned, changed row by row. Pure.

The fast way is the usual one: whatever is printable ASCII with single spaces isn't looked at again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import regex

from contact_sync.base.arrays import Mask
from contact_sync.contacts.arrow_columns import mask_of, null_if_empty, texts_of

TEXT = pd.ArrowDtype(pa.string())

_ODD_SPACE = r"[\p{Cc}\p{Zl}\p{Zp}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]|  "
_SPACES = r"[\p{Z}\p{Cc}]+"
MAY_COMPOSE = (
    r"[^\x{0}-\x{2ff}\x{370}-\x{373}\x{375}-\x{37d}\x{37f}-\x{386}\x{388}-\x{482}"
    r"\x{48a}-\x{590}]"
)
"""Characters that NFC may change or join: all but the usual Latin, Greek and Cyrillic ones."""
_NOT_SEEN = (
    r"\x{ad}\x{61c}\x{180e}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2064}\x{2066}-\x{206f}"
    r"\x{feff}\x{fff9}-\x{fffb}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}"
)
"""Category Cf without what shows: Arabic signs of numbers, and the letters in flags of regions."""
_AT_THE_ENDS = rf"^[{_NOT_SEEN} ]+|[{_NOT_SEEN} ]+$"
_BLANK = (
    rf"^[{_NOT_SEEN}\x{{34f}}\x{{115f}}\x{{1160}}\x{{17b4}}\x{{17b5}}\x{{180b}}-\x{{180f}}\x{{2800}}"
    r"\x{2065}\x{3164}\x{fe00}-\x{fe0f}\x{ffa0}\x{fff0}-\x{fff8}\x{1d159}\x{e0000}-\x{e0fff} ]*$"
)
"""Texts of nothing that anybody can see: fillers, selectors and blanks of other scripts, too."""
USUAL = (
    r"\x{20}-\x{7e}\x{a1}-\x{ac}\x{ae}-\x{2ff}\x{370}-\x{373}\x{375}-\x{37d}\x{37f}-\x{386}"
    r"\x{388}-\x{482}\x{48a}-\x{590}\x{5d0}-\x{5ea}\x{620}-\x{64a}\x{10d0}-\x{10ff}"
    r"\x{1e00}-\x{1eff}\x{2010}-\x{2027}\x{2030}-\x{205e}\x{20a0}-\x{20bf}\x{3001}-\x{3029}"
    r"\x{3041}-\x{3096}\x{30a0}-\x{30ff}\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}\x{ac00}-\x{d7a3}"
    r"\x{ff01}-\x{ff9f}"
)
"""Letters, signs and spaces that are clean by themselves and in every text of such: European
languages, Hebrew, Arabic, Georgian, Vietnamese, Chinese, Japanese and Korean as they are typed."""
TO_CLEAN = rf"[^{USUAL}]|  "
_INVISIBLE = r"[\p{Cf}\x{180b}-\x{180d}\x{180f}\x{fe00}-\x{fe0f}\x{e0100}-\x{e01ef}]+"
_MARKS = regex.compile(r"(\p{M}{30})\p{M}+")  # Unicode TR 15, Stream-Safe: no text needs more
MAX_RAW = 5_000  # code points looked at: more than any field holds; NFC and addresses are quadratic


def arrow(column: pd.Series[Any]) -> pa.Array:
    """The column's Arrow array without a copy."""
    values = column.array
    is_arrow = isinstance(values, pd.arrays.ArrowExtensionArray)
    array = values.__arrow_array__() if is_arrow else pa.array(column)
    if not isinstance(array, pa.ChunkedArray):
        return array
    return array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()


def series(array: pa.Array) -> pd.Series[Any]:
    """An Arrow array as a pandas column without a copy."""
    return pd.Series(pd.arrays.ArrowExtensionArray(array))


def as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Any scalar column as text, cleaned: NFC, runs of white space and controls → one space,
    trimmed of spaces and invisible characters; null where nothing can be seen."""
    array = arrow(column)
    if not pa.types.is_string(array.type):
        array = pc.cast(array, pa.string())
    rows = unusual_texts(array)
    if rows.any():
        rows[rows] = _matches(array.filter(pa.array(rows)), TO_CLEAN)
    return series(null_if_empty(pc.utf8_trim(only(array, rows, _cleaned), " ")))


def unusual_texts(array: pa.Array) -> Mask:
    """Which texts may hold anything but printable ASCII and single spaces; few others are named."""
    starts, data = texts_of(array)
    octets = np.frombuffer(data, np.uint8)
    unusual = (octets - np.uint8(0x20)) > 0x7E - 0x20  # below 0x20 it wraps to a large number
    unusual[1:] |= (octets[1:] == 0x20) & (octets[:-1] == 0x20)
    at = np.flatnonzero(unusual)
    return np.asarray(np.diff(np.searchsorted(at, starts)) > 0, bool)


def _cleaned(array: pa.Array) -> pa.Array:
    array = composed(array)
    odd = _matches(array, _ODD_SPACE)
    array = only(array, odd, lambda texts: pc.replace_substring_regex(texts, _SPACES, " "))
    array = trimmed(array)
    blank = _matches(array, _BLANK)
    return pc.if_else(pa.array(blank), "", array) if blank.any() else array


def _matches(array: pa.Array, pattern: str) -> Mask:
    return mask_of(pc.match_substring_regex(array, pattern))


def trimmed(array: pa.Array) -> pa.Array:
    """The texts without spaces and invisible characters at their ends."""
    return pc.replace_substring_regex(array, _AT_THE_ENDS, "")


def visible(array: pa.Array) -> pa.Array:
    """The texts without category Cf and variation selectors, wherever they stand."""
    return pc.replace_substring_regex(array, _INVISIBLE, "")


def composed(array: pa.Array) -> pa.Array:
    """NFC. Arrow's own `utf8_normalize(form="NFC")` decomposes instead (seen in 25.0.1)."""
    return fix(array, _matches(array, MAY_COMPOSE), _nfc)


def _nfc(value: str) -> str:
    """Long runs of marks are cut first: to sort them takes time by the square of their number."""
    return unicodedata.normalize("NFC", _MARKS.sub(r"\1", value[:MAX_RAW]))


def only(array: pa.Array, rows: Mask, change: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """The array with `change` applied to the masked rows."""
    if not rows.any():
        return array
    return pc.replace_with_mask(array, pa.array(rows), change(array.filter(pa.array(rows))))


def fix(array: pa.Array, rows: Mask, repair: Callable[[str], str | None]) -> pa.Array:
    """Replace the masked values by `repair(value)`, called once per distinct value."""

    def repair_distinct(texts: pa.Array) -> pa.Array:
        encoded = texts.dictionary_encode()
        repaired = [repair(value) for value in encoded.dictionary.to_pylist()]
        return pa.array(repaired, pa.string()).take(encoded.indices)

    return only(array, rows, repair_distinct)
