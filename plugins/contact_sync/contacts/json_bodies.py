"""JSON upserts: how large a contact is, how contacts are cut into bodies, and the body. Pure.

A field that is left out keeps its value, `""` clears a text field (Grouparoo's recordings of the
real API).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import Int64
from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.arrow_columns import texts_of
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.payloads import csv_block, value_columns

MAX_JSON_BYTES = 3_900_000
"""The documented 6 MB is not reached in practice: a 4 MiB message limit answers first."""
MAX_JSON_CONTACTS = 30_000  # OAS PUT /v3/marketing/contacts
ENVELOPE_BYTES = 200  # {"list_ids":["<uuid>"],"contacts":[]} with room to spare
_US_DATE, _MOMENT = r"^(\d+)/(\d+)/(\d+)$", r'"\3-\1-\2T00:00:00Z"'


def json_size(payload: pa.Array, mapping: Mapping) -> Int64:
    """An upper bound of the contact's JSON in bytes, so that a batch never exceeds its limit.

    The bytes of its CSV row, where a value has its quotes and a quote counts twice already; one
    byte more for each backslash; and all keys as if every field had a value or were cleared.
    Converters leave no other character that JSON escapes.
    """
    keys = sum(len(f.id if f.custom else f.name) + len('"":""') for f in mapping.fields)
    times = sum(len("T00:00:00Z") for f in mapping.fields if f.type is FieldType.DATE)
    overhead = keys + times + len('{"email":"","custom_fields":{}},')
    offsets, data = texts_of(payload)
    backslashes = np.flatnonzero(np.frombuffer(data, np.uint8)[: offsets[-1]] == ord("\\"))
    before = np.searchsorted(backslashes, offsets)
    return np.asarray(overhead + np.diff(offsets) + np.diff(before), np.int64)


def cut_json_batches(sizes: Int64, most: int = MAX_JSON_BYTES) -> list[tuple[int, int]]:
    """Cut consecutive contacts into `[start, stop)` ranges within SendGrid's JSON limits; `most`:
    bytes of a body."""
    ends = np.cumsum(sizes)
    ranges, start = [], 0
    while start < len(sizes):
        before = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, before + most - ENVELOPE_BYTES, side="right"))
        stop = max(start + 1, min(stop, start + MAX_JSON_CONTACTS))
        ranges.append((start, stop))
        start = stop
    return ranges


def json_body(contacts: pa.Table, mapping: Mapping) -> bytes:
    """The body of `PUT /v3/marketing/contacts` for contacts with columns `email`, `payload` and
    `clears` (OutboxRow): values that exist, `""` for text fields to clear, nothing else.

    Made of whole columns: a Python object for each contact and value costs six times as much.
    """
    import pyarrow.compute as pc  # only when there are rows, as below

    table = contacts.combine_chunks()
    email, payload, clears = (_column(table, name) for name in ("email", "payload", "clears"))
    masks = np.asarray(clears, np.int64)
    own, custom = list[pa.Array](), list[pa.Array]()
    for field, values in zip(mapping.fields, value_columns(payload, mapping), strict=True):
        cleared = (masks >> field.bit & 1 != 0) & (field.type is FieldType.TEXT)
        kept = pc.or_(pc.not_equal(values, ""), pa.array(cleared))
        member = _member(field.id if field.custom else field.name, _as_json(field, values), kept)
        (custom if field.custom else own).append(member)
    if custom:
        members = pc.utf8_slice_codeunits(_joined(*custom), 1)  # without the first comma
        own.append(_member("custom_fields", _joined("{", members, "}"), pc.not_equal(members, "")))
    rows = _joined('{"email":', _quoted(email), *own, "},")
    offsets, data = texts_of(rows)
    lists = b',"list_ids":' + _compact([mapping.list_id]) if mapping.list_id else b""
    rows_without_last_comma = data[offsets[0] : max(offsets[-1] - 1, 0)]
    return b"".join((b'{"contacts":[', rows_without_last_comma, b"]", lists, b"}"))


def upsert_body(contacts: list[dict[str, Any]], list_ids: list[str]) -> bytes:
    """The body of contacts that are in the request's form already, and join these lists."""
    body: dict[str, Any] = {"contacts": contacts}
    if list_ids:
        body["list_ids"] = list_ids
    return _compact(body)


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _column(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def _as_json(field: MappedField, values: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    if field.type is FieldType.NUMBER:  # the converter writes what is a number in JSON, too
        return values
    if field.type is FieldType.DATE:
        days = values.dictionary_encode()
        moments = pc.replace_substring_regex(days.dictionary, _US_DATE, _MOMENT)
        return moments.take(days.indices)
    return _quoted(values)


def _quoted(texts: pa.Array) -> pa.Array:
    """As JSON strings (RFC 8259, 7)."""
    import pyarrow.compute as pc

    data = np.frombuffer(csv_block(texts), np.uint8)
    for character in (ord("\\"), ord('"'), *np.unique(data[data < ord(" ")]).tolist()):
        if (data == character).any():
            escaped = json.dumps(chr(character))[1:-1]
            texts = pc.replace_substring(texts, chr(character), escaped)
    return _joined('"', texts, '"')


def _member(name: str, values: pa.Array, kept: pa.Array) -> pa.Array:
    """The member of each contact's object, after a comma; "" where it isn't kept."""
    import pyarrow.compute as pc

    return pc.if_else(kept, _joined(f",{_compact(name).decode()}:", values), "")


def _joined(*parts: pa.Array | str) -> pa.Array:
    """The parts of each contact as one text."""
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(*parts, "")
