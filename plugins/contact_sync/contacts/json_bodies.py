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
from contact_sync.contacts.payloads import columns_of, csv_block

MAX_JSON_BYTES = 3_900_000
"""The documented 6 MB is not reached in practice: a 4 MiB message limit answers first."""
MAX_JSON_CONTACTS = 30_000  # OAS PUT /v3/marketing/contacts
ENVELOPE_BYTES = 200  # {"list_ids":["<uuid>"],"contacts":[]} with room to spare
_US_DATE, _MOMENT = r"^(\d+)/(\d+)/(\d+)$", r"\3-\1-\2T00:00:00Z"


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


def json_body(payloads: bytes, clears: Int64, mapping: Mapping) -> bytes:
    """The body of `PUT /v3/marketing/contacts` for payloads, one after the other in UTF-8, with the
    mask of what to clear of each: values that exist, `""` for text fields to clear, nothing else.

    Made of whole columns: a Python object for each contact and value costs six times as much.
    """
    email, *columns = columns_of(payloads, mapping)
    own, custom = list[pa.Array](), list[pa.Array]()
    for field, values in zip(mapping.fields, columns, strict=True):
        (custom if field.custom else own).append(_member(field, values, clears))
    if custom:
        own.append(_custom_fields(custom))
    rows = _joined('{"email":"', _escaped(email), '"', *own, "},", none="")
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


def _member(field: MappedField, values: pa.Array, clears: Int64) -> pa.Array:
    """The field's member of each contact's object, after a comma; null = it is left out."""
    import pyarrow.compute as pc  # only when there are rows, as below

    name, quote = _compact(field.id if field.custom else field.name).decode(), '"'
    if field.type is FieldType.TEXT:
        values = _escaped(values)
        if (cleared := clears >> field.bit & 1 != 0).any():
            values = pc.if_else(pc.and_(pc.is_null(values), pa.array(cleared)), "", values)
    elif field.type is FieldType.DATE:
        days = values.dictionary_encode()
        moments = pc.replace_substring_regex(days.dictionary, _US_DATE, _MOMENT)
        values = moments.take(days.indices)
    else:  # the converter writes what is a number in JSON, too
        quote = ""
    return _joined(f",{name}:{quote}", values, quote)


def _custom_fields(members: list[pa.Array]) -> pa.Array:
    """Their object as a member, after a comma; null where it would be empty."""
    import pyarrow.compute as pc

    together = pc.ascii_ltrim(_joined(*members, "", none=""), ",")  # the first comma
    some = pc.if_else(pc.not_equal(together, ""), together, None)
    return _joined(',"custom_fields":{', some, "}")


def _escaped(texts: pa.Array) -> pa.Array:
    """As between the quotes of a JSON string (RFC 8259, 7)."""
    import pyarrow.compute as pc

    data = np.frombuffer(csv_block(texts), np.uint8)
    special = np.unique(data[(data < ord(" ")) | (data == ord('"'))]).tolist()
    for character in ([ord("\\")] if (data == ord("\\")).any() else []) + special:
        escaped = json.dumps(chr(character))[1:-1]
        texts = pc.replace_substring(texts, chr(character), escaped)
    return texts


def _joined(*parts: pa.Array | str, none: str | None = None) -> pa.Array:
    """The parts of each contact as one text; null where a part is, or with `none` in its place."""
    import pyarrow.compute as pc

    if none is None:
        return pc.binary_join_element_wise(*parts, "")
    return pc.binary_join_element_wise(*parts, "", null_handling="replace", null_replacement=none)
