"""Build what SendGrid's two bulk endpoints take from outbox rows. Pure.

JSON upsert: a field that is left out keeps its value, `""` clears a text field (Grouparoo's
recordings of the real API). CSV import: a header, then blocks of rows, worked on as whole Arrow
columns: a Python object per contact would cost more than everything else together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from contact_sync.mapping import MappedField, Mapping
from contact_sync.models import SEPARATOR, FieldType

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
    for field, value in zip(mapping.fields, row.payload.split(SEPARATOR), strict=True):
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


def csv_rows(emails: pa.Array, payloads: pa.Array, mapping: Mapping) -> bytes:
    """The rows of a block of contacts (RFC 4180, UTF-8); no value = an empty cell.

    Dates are written MM/DD/YYYY, the documented form (Twilio docs, Formatting a CSV).
    """
    width = len(mapping.fields)
    cells = pc.split_pattern(payloads, SEPARATOR).flatten()
    if len(cells) != width * len(emails):
        raise ValueError(f"Payloads of {width} fields have {len(cells)} values")
    cells = pc.if_else(pc.equal(cells, ""), None, cells)
    first = np.arange(len(emails)) * width
    columns = [cells.take(pa.array(first + position)) for position in range(width)]
    for position, field in enumerate(mapping.fields):
        if field.type is FieldType.DATE:
            columns[position] = pc.replace_substring_regex(
                columns[position], r"^(\d+)-(\d+)-(\d+)$", r"\2/\3/\1"
            )
    names = [str(number) for number in range(width + 1)]
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(pa.table([emails, *columns], names), sink, _CSV)
    return bytes(cast("bytes", sink.getvalue()))
