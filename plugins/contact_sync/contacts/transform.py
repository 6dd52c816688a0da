"""Turn a batch of source rows into contacts-to-be: problem, payload and hash per client. Pure.

Works on whole Arrow-backed pandas columns; no Python object per row except in the hash loop
(0.3 µs a row) and for values that no pattern can decide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Int64, rows_of
from contact_sync.base.plain_reasons import ADDRESS
from contact_sync.base.vocabulary import MAX_KEY, FieldType, Refusal, ValueProblem
from contact_sync.contacts import converters, emails, phones, refused_values, source_types
from contact_sync.contacts.arrow_columns import mask_of
from contact_sync.contacts.converters import Converted
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.json_bodies import json_size
from contact_sync.contacts.mapping import CLIENT_KEY, PERSON_KEY, MappedField, Mapping
from contact_sync.contacts.payloads import csv_payloads
from contact_sync.contacts.refused_values import Refused
from contact_sync.contacts.text_columns import arrow, as_text, fix, series

SHORTENED = (ValueProblem.TOO_LONG, ValueProblem.ROUNDED)
"""Reasons of values that are sent all the same, shortened."""
MAX_EXCLUSION = 100
"""Characters of B2CORE's reason to exclude a client."""
NOTHING_REFUSED: Refused = {}
"""For whoever knows of no refused value."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Clients whose value of one field is left out, cut or rounded for one reason, by id."""

    field: str
    reason: ValueProblem | Refusal
    client_id: Int64


@dataclass(frozen=True, slots=True)
class Transformed:
    """A batch of clients, converted.

    `frame` has one row per client: client_id, email (normalised; null when missing), email_hash,
    payload (see `payloads`; without an address that can't be sent), row_hash, filled (mask of
    fields with a value), negative (a number below zero), size (upper bound of the contact's
    JSON in bytes), field, reason and detail (null = may be sent), exclusion (null = none) and,
    if the source tells one person from another, person_hash (0 = unknown), and client_key if the
    source gives it (null = none).
    `dropped`: whose values were left out, cut or rounded; of a client and field at most one.
    `replaced`: clients and the names of fields in which they have another value now than the one
    that SendGrid refused.
    """

    frame: pd.DataFrame
    dropped: list[Dropped]
    replaced: list[tuple[int, str]]

    def dropped_of(self, clients: Int64) -> list[Dropped]:
        """The same of these clients only."""
        if not self.dropped:
            return []
        wanted = np.sort(clients)
        found = [
            replace(part, client_id=part.client_id[rows_of(wanted, part.client_id)[1]])
            for part in self.dropped
        ]
        return [part for part in found if len(part.client_id)]


def transform(
    batch: pa.RecordBatch,
    mapping: Mapping,
    hashing: Hashing,
    refused: Refused = NOTHING_REFUSED,
) -> Transformed:
    """Convert one batch of `clients.sql` rows by the mapping; what SendGrid `refused` of it before
    is a bad value.
    """
    source = source_types.plain(batch).to_pandas(types_mapper=pd.ArrowDtype)
    # What is returned holds nothing of the batch, whose columns are only freed all together.
    problems = _Problems(np.array(source["client_id"], np.int64))
    address = emails.normalised(source[mapping.email.column])
    email_hash = hashing.texts(arrow(address))
    sendable = problems.noted(mapping.email, emails.sendable(address))
    detail = emails.odd_characters(source[mapping.email.column], pd.notna(problems.reason))
    columns: list[pa.Array] = []
    replaced: list[tuple[int, str]] = []
    filled = np.zeros(len(source), np.int64)
    negative = np.zeros(len(source), bool)
    for field, found in zip(mapping.fields, _converted(source, mapping), strict=True):
        converted = found
        if field.name in refused:
            ids = problems.client_id
            converted, other = refused_values.known_refusals(
                converted, ids, refused[field.name], hashing
            )
            replaced += [(int(client), field.name) for client in ids[other]]
        values = problems.noted(field, converted)
        columns.append(arrow(values))
        filled |= mask_of(pc.is_valid(columns[-1])).astype(np.int64) << field.bit
        if field.type is FieldType.NUMBER:
            negative |= converters.is_negative(values)
    payload = csv_payloads(arrow(sendable), columns, mapping)
    frame = pd.DataFrame(
        {
            "client_id": problems.client_id,
            "email": address,
            "email_hash": email_hash,
            "payload": series(payload),
            "row_hash": hashing.texts(payload, mapping.seed),
            "filled": filled,
            "negative": negative,
            "size": json_size(payload, mapping),
            "field": series(pa.array(problems.field, pa.string())),
            "reason": series(pa.array(problems.reason, pa.string())),
            "detail": detail,
            "exclusion": _exclusions(source["exclusion"]),
        }
    )
    if mapping.has_person_key:
        frame["person_hash"] = hashing.texts(arrow(source[PERSON_KEY]))
    if mapping.has_client_key:
        key = as_text(source[CLIENT_KEY])
        frame[CLIENT_KEY] = key.where(key.str.len() <= MAX_KEY)
    return Transformed(frame, problems.dropped, replaced)


def _exclusions(column: pd.Series[Any]) -> pd.Series[Any]:
    """The reasons as text, short and without addresses, because logs and reports have them; one
    without any character excludes, too, as it does for the scan."""
    given = pc.is_valid(arrow(column))
    if not given.true_count:
        return series(pa.nulls(len(column), pa.string()))
    found = arrow(converters.text(as_text(column), MAX_EXCLUSION).values)
    has_address = mask_of(pc.match_substring(found, "@"))
    found = fix(found, has_address, lambda said: ADDRESS.sub("\N{HORIZONTAL ELLIPSIS}", said))
    return series(pc.if_else(given, pc.fill_null(found, ""), found))


def _converted(source: pd.DataFrame, mapping: Mapping) -> list[Converted]:
    """What becomes of the columns of all mapped fields."""
    found = {field: _convert(field, source, mapping) for field in mapping.fields}
    texts = [field for field, converted in found.items() if converted is None]
    columns, lengths = [source[f.column] for f in texts], [f.max_length for f in texts]
    cleaned = dict(zip(texts, converters.texts(columns, lengths), strict=True))
    return [found[field] or cleaned[field] for field in mapping.fields]


def _convert(field: MappedField, source: pd.DataFrame, mapping: Mapping) -> Converted | None:
    """A column with a rule of its own; None = a text as any other."""
    column = source[field.column]
    if field.type is FieldType.NUMBER:
        return converters.number(column)
    if field.type is FieldType.DATE or pa.types.is_date(arrow(column).type):
        return converters.day(column)
    if field.name == "phone_number" and not field.custom:
        return phones.e164(column, source["country_code"], mapping.default_country)
    return None


class _Problems:
    """Collects, per client, the first reason to reject it, and what was dropped or cut."""

    def __init__(self, client_id: Int64) -> None:
        self.client_id = client_id
        self.field = np.full(len(client_id), None, dtype=object)
        self.reason = np.full(len(client_id), None, dtype=object)
        self.dropped: list[Dropped] = []

    def noted(self, field: MappedField, converted: Converted) -> pd.Series[Any]:
        for reason, rows in converted.problems.items():
            if not rows.any():
                continue
            policy = field.on_too_long if reason in SHORTENED else field.on_bad_value
            if policy == "reject":
                first = rows & pd.isna(self.reason)
                self.field[first], self.reason[first] = field.name, reason
            else:
                self.dropped.append(Dropped(field.name, reason, self.client_id[rows]))
        return converted.values
