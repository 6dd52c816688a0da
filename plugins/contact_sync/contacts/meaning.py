"""What a value means, whatever form it is written in, as a hash. Pure.

SendGrid may show a number or a date in another form than it was sent in (read_back.py has what is
known); texts are compared as they are. Both sides of a verification are reduced by this.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import Int64, Mask
from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.arrow_columns import null_if_empty
from contact_sync.contacts.hash_keys import PLAIN
from contact_sync.contacts.mapping import MappedField, Mapping

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?")
_US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
BYTES = 8
"""Of one field's hash."""


def meant(field: MappedField, values: pa.Array | Sequence[Any]) -> tuple[Int64, Mask]:
    """A hash of what each value means, 0 = none; and which ones are no number or date.

    `values` are texts as they were sent, or what SendGrid shows; None and "" are none. Each
    different value is looked at once.
    """
    texts = values if isinstance(values, pa.Array) else pa.array(list(map(as_text, values)))
    if not pa.types.is_string(texts.type):
        texts = texts.cast(pa.string())
    encoded = texts.dictionary_encode()
    said, unclear = encoded.dictionary, np.zeros(len(encoded.dictionary), bool)
    if field.type is not FieldType.TEXT:
        read = _number if field.type is FieldType.NUMBER else _day
        distinct = encoded.dictionary.to_pylist()
        found = [read(text) for text in distinct]
        none = zip(found, distinct, strict=True)
        unclear = np.array([m is None and text != "" for m, text in none], bool)
        said = [text if m is None else m for m, text in zip(found, distinct, strict=True)]
        said = pa.array(said, pa.string())
    distinct_hashes = np.append(PLAIN.texts(null_if_empty(said)), 0)
    places = np.asarray(encoded.indices.fill_null(len(unclear)), np.int64)
    return distinct_hashes[places], np.append(unclear, False)[places]


def as_text(value: Any) -> str:
    """A value of SendGrid's JSON as text; "" = none. Half of a pair of surrogates isn't one."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return _shortest(value)
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _shortest(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@lru_cache(maxsize=100_000)
def _number(text: str) -> str | None:
    """One text for all ways to write a number; None = it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return repr(number + 0.0) if math.isfinite(number) else None  # -0.0 + 0.0 is 0.0


@lru_cache(maxsize=100_000)
def _day(text: str) -> str | None:
    """The day of a date or moment, in ISO 8601 or as MM/DD/YYYY; None = it is none."""
    if found := _ISO.fullmatch(text):
        year, month, day = map(int, found.groups())
    elif found := _US.fullmatch(text):
        month, day, year = map(int, found.groups())
    else:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def packed(columns: Sequence[Int64]) -> pa.Array:
    """The hashes of each contact's fields one after the other, BYTES each, as one binary value."""
    rows = np.ascontiguousarray(np.column_stack(columns).astype(">i8"))
    width = BYTES * len(columns)
    fixed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), len(rows), [None, pa.py_buffer(rows)]
    )
    return fixed.cast(pa.binary())


def bits(masks: Sequence[Mask]) -> Int64:
    """Masks of columns as one number a row: bit = position."""
    found = np.zeros(len(masks[0]) if masks else 0, np.int64)
    for position, mask in enumerate(masks):
        found |= mask.astype(np.int64) << position
    return found


def differing(mapping: Mapping, one: bytes, other: bytes, left_out: int = 0) -> tuple[str, ...]:
    """SendGrid's names of the fields in which two contacts' hashes differ; those that are
    `left_out`, by position, may."""
    return tuple(
        field.name
        for position, field in enumerate(mapping.fields)
        if not left_out >> position & 1
        and one[position * BYTES :][:BYTES] != other[position * BYTES :][:BYTES]
    )


def is_cut(field: MappedField, sent: str, found: str) -> bool:
    """Whether a text is the beginning of what was sent, and as long as the field allows: SendGrid
    may count in other units (characters, or bytes of UTF-8) than we do."""
    if field.type is not FieldType.TEXT or not sent.startswith(found) or len(found) >= len(sent):
        return False
    return len(found) >= field.max_length or len(found.encode()) >= field.max_length - 3
