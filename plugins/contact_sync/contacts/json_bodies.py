"""JSON upserts: how large a contact is, how contacts are cut into bodies, and the body. Pure.

A field that is left out keeps its value, `""` clears a text field (Grouparoo's recordings of the
real API).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import Int64
from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.arrow_columns import texts_of
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.payloads import OutboxRow, values_of

MAX_JSON_BYTES = 3_900_000
"""The documented 6 MB is not reached in practice: a 4 MiB message limit answers first."""
MAX_JSON_CONTACTS = 30_000  # OAS PUT /v3/marketing/contacts
ENVELOPE_BYTES = 200  # {"list_ids":["<uuid>"],"contacts":[]} with room to spare


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


def json_body(rows: Iterable[OutboxRow], mapping: Mapping) -> bytes:
    """The body of `PUT /v3/marketing/contacts` for the rows."""
    contacts = [json_contact(row, mapping) for row in rows]
    return upsert_body(contacts, [mapping.list_id] if mapping.list_id else [])


def upsert_body(contacts: list[dict[str, Any]], list_ids: list[str]) -> bytes:
    """The body of contacts that are in the request's form already, and join these lists."""
    body: dict[str, Any] = {"contacts": contacts}
    if list_ids:
        body["list_ids"] = list_ids
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
