"""Build what SendGrid's two bulk endpoints take. Pure.

A payload is a contact's row of a CSV import (RFC 4180, UTF-8): address, then the values in mapping
order, an empty cell for none, a newline. So large runs, which take the CSV lane, send it as it is;
a Python object per contact would cost more than everything else together.
JSON upsert: a field that is left out keeps its value, `""` clears a text field (Grouparoo's
recordings of the real API).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.text_columns import texts_of

MAX_JSON_BYTES = 3_900_000
"""The documented 6 MB is not reached in practice: a 4 MiB message limit answers first."""
MAX_JSON_CONTACTS = 30_000  # OAS PUT /v3/marketing/contacts
_CSV = pa_csv.WriteOptions(include_header=False)
ENVELOPE_BYTES = 200  # {"list_ids":["<uuid>"],"contacts":[]} with room to spare


class OutboxRow(NamedTuple):
    """One contact to be sent; `clears` is the mask of text fields to be emptied."""

    email: str
    payload: str
    clears: int


def cut_json_batches(sizes: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cut consecutive contacts into `[start, stop)` ranges within SendGrid's JSON limits."""
    ends = np.cumsum(sizes)
    ranges, start = [], 0
    while start < len(sizes):
        before = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, before + MAX_JSON_BYTES - ENVELOPE_BYTES, side="right"))
        stop = max(start + 1, min(stop, start + MAX_JSON_CONTACTS))
        ranges.append((start, stop))
        start = stop
    return ranges


def cut_csv_batches(contacts: int, batch_contacts: int) -> list[tuple[int, int]]:
    """Cut consecutive contacts into `[start, stop)` ranges of about equal size."""
    pieces = max(1, -(-contacts // batch_contacts))
    bounds = [contacts * piece // pieces for piece in range(pieces + 1)]
    return [(a, b) for a, b in pairwise(bounds) if b > a]


def json_body(rows: Iterable[OutboxRow], mapping: Mapping) -> bytes:
    """The body of `PUT /v3/marketing/contacts` for the rows."""
    body: dict[str, Any] = {"contacts": [json_contact(row, mapping) for row in rows]}
    if mapping.list_id:
        body["list_ids"] = [mapping.list_id]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def json_contact(row: OutboxRow, mapping: Mapping) -> dict[str, Any]:
    """One contact: values that exist, `""` for text fields to clear, nothing else."""
    contact: dict[str, Any] = {"email": row.email}
    custom: dict[str, Any] = {}
    for field, value in zip(mapping.fields, values_of(row.payload, mapping), strict=True):
        if value == "" and not row.clears >> field.bit & 1:
            continue
        target, key = (custom, field.id) if field.custom else (contact, field.name)
        target[key] = _json_value(field, value)
    if custom:
        contact["custom_fields"] = custom
    return contact


def _json_value(field: MappedField, value: str) -> str | int | float:
    if field.type is FieldType.NUMBER:
        return float(value) if "." in value else int(value)
    if field.type is FieldType.DATE:
        return f"{value}T00:00:00Z"
    return value


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
    encoded = days.dictionary_encode()
    turned = pc.replace_substring_regex(encoded.dictionary, r"^(\d+)-(\d+)-(\d+)$", r"\2/\3/\1")
    return turned.take(encoded.indices)


def csv_block(payloads: pa.Array) -> memoryview:
    """The rows of a block of contacts, one after the other; nothing is copied."""
    offsets, data = texts_of(payloads)
    return data[offsets[0] : offsets[-1]]


def values_of(payload: str, mapping: Mapping) -> list[str]:
    """The values of the mapped fields; dates as YYYY-MM-DD, "" = none."""
    _, *values = next(csv.reader([payload], strict=True))
    for position, field in enumerate(mapping.fields):
        if field.type is FieldType.DATE and values[position]:
            month, day, year = values[position].split("/")
            values[position] = f"{year}-{month}-{day}"
    return values
