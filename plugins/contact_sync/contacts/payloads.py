"""A contact's payload, and the CSV imports that are made of payloads. Pure.

A payload is a contact's row of a CSV import (RFC 4180, UTF-8): address, then the values in mapping
order, an empty cell for none, a newline. So large runs, which take the CSV lane, send it as it is;
a Python object per contact would cost more than everything else together. `json_bodies` makes the
other lane's requests of payloads.
"""

from __future__ import annotations

import csv
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.arrow_columns import texts_of
from contact_sync.contacts.mapping import Mapping

_CSV = pa_csv.WriteOptions(include_header=False)


class OutboxRow(NamedTuple):
    """One contact to be sent; `clears` is the mask of text fields to be emptied."""

    email: str
    payload: str
    clears: int


def cut_csv_batches(contacts: int, batch_contacts: int) -> list[tuple[int, int]]:
    """Cut consecutive contacts into `[start, stop)` ranges of about equal size."""
    pieces = max(1, -(-contacts // batch_contacts))
    bounds = [contacts * piece // pieces for piece in range(pieces + 1)]
    return [(a, b) for a, b in pairwise(bounds) if b > a]


def csv_field_ids(mapping: Mapping) -> list[str]:
    """`field_mappings` of the import: the field id of each column, by position."""
    return [mapping.email.id, *(field.id for field in mapping.fields)]


def csv_header(mapping: Mapping) -> list[str]:
    """The header row; SendGrid skips it and goes by position (Twilio docs, Formatting a CSV)."""
    return ["email", *(field.name for field in mapping.fields)]


def csv_payloads(emails: pa.Array, values: list[pa.Array], mapping: Mapping) -> pa.Array:
    """The payload of each contact; null = no value. `values` are texts in mapping order.

    Dates are written MM/DD/YYYY, the documented form (Twilio docs, Formatting a CSV). Raises
    ValueError for a text with a line break: converters leave none.
    """
    columns = [emails, *values]
    for position, field in enumerate(mapping.fields, start=1):
        if field.type is FieldType.DATE:
            columns[position] = _us_dates(columns[position])
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(pa.table(columns, [str(n) for n in range(len(columns))]), sink, _CSV)
    data = sink.getvalue()
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
    if len(ends) != len(emails):
        raise ValueError(f"{len(emails)} contacts made {len(ends)} lines of CSV")
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), data)


def _us_dates(days: pa.Array) -> pa.Array:
    import pyarrow.compute as pc  # as long to import as all else of Arrow: only when rows are there

    encoded = days.dictionary_encode()
    turned = pc.replace_substring_regex(encoded.dictionary, r"^(\d+)-(\d+)-(\d+)$", r"\2/\3/\1")
    return turned.take(encoded.indices)


def csv_block(payloads: pa.Array) -> memoryview:
    """The rows of a block of contacts, one after the other; nothing is copied."""
    offsets, data = texts_of(payloads)
    return data[offsets[0] : offsets[-1]]


def value_columns(payloads: pa.Array, mapping: Mapping) -> list[pa.Array]:
    """The values of the mapped fields of many payloads, a column each, in mapping order; dates as
    they are in payloads, "" = none."""
    return _columns(csv_block(payloads), mapping, none=[])[1:]


def columns_of(block: bytes, mapping: Mapping) -> list[pa.Array]:
    """The columns of a block of payloads: addresses, then the values of the mapped fields in
    mapping order; dates as they are in payloads, null = none."""
    return _columns(block, mapping, none=[""])


def _columns(block: bytes | memoryview, mapping: Mapping, none: list[str]) -> list[pa.Array]:
    names = [str(position) for position in range(len(mapping.fields) + 1)]
    if not len(block):
        return [pa.array([], pa.string()) for _ in names]
    table = pa_csv.read_csv(
        pa.BufferReader(pa.py_buffer(block)),
        pa_csv.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=False),
        pa_csv.ParseOptions(newlines_in_values=False),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=bool(none),
            null_values=none,
        ),
    )
    return [table.column(name).combine_chunks() for name in names]


def values_of(payload: str, mapping: Mapping) -> list[str]:
    """The values of the mapped fields; dates as YYYY-MM-DD, "" = none."""
    _, *values = next(csv.reader([payload], strict=True))
    for position, field in enumerate(mapping.fields):
        if field.type is FieldType.DATE and values[position]:
            month, day, year = values[position].split("/")
            values[position] = f"{year}-{month}-{day}"
    return values
