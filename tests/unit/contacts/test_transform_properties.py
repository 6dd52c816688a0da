"""The transform for any rows: each by itself, at any offset, and never larger than it says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.hash_keys import PLAIN
from contact_sync.contacts.json_bodies import ENVELOPE_BYTES
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.payloads import values_of
from contact_sync.contacts.transform import Transformed, transform
from tests.support.samples import COLUMNS, batch, body_of, mapping

ODD = st.text('aé"\\\u001f\u0000\u2028\u007f\u20ac\U0001f468\u200d\u0301 \t/<', max_size=70)
EMAILS = st.sampled_from(
    [None, "", "ann", "ann@example.com", 'Ann"@x', "o'brien@example.com", "zoë@bücher.example"]
)
NUMBERS = st.none() | st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,4})?", fullmatch=True) | ODD
DAYS = st.none() | st.dates().map(str) | ODD
SPECIAL = {"client_id", "email", "score", "born", "exclusion"}
ROWS = st.fixed_dictionaries(
    {name: st.none() | ODD for name in COLUMNS.names if name not in SPECIAL}
    | {"client_id": st.integers(1, 2**62), "email": EMAILS, "score": NUMBERS, "born": DAYS}
)
UUID = "5a4c2d60-6f3e-4d5c-9a8a-0123456789ab"


def rows_of(source: pa.RecordBatch, using: Mapping) -> list[dict[str, Any]]:
    """The verdicts as plain values."""
    frame = transform(source, using, PLAIN).frame
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in record.items()} for record in records]


@settings(max_examples=25)
@given(st.lists(ROWS, max_size=6), st.integers(0, 6))
def test_each_row_has_its_own_verdict(rows: list[dict[str, Any]], cut: int) -> None:
    """Alone, among others, and in a slice with an offset: the same. No row raises or is lost."""
    together = rows_of(batch(*rows), mapping())
    assert [row["client_id"] for row in together] == [row["client_id"] for row in rows]
    assert [rows_of(batch(row), mapping())[0] for row in rows] == together
    assert rows_of(batch(*rows).slice(cut), mapping()) == together[cut:]


@settings(max_examples=25)
@given(st.lists(ROWS, max_size=6), st.integers(0, 127))
def test_C10_sizes_are_an_upper_bound_of_the_real_body(
    rows: list[dict[str, Any]], clears: int
) -> None:
    """Whatever is in it and whatever is cleared, so that no batch can be too large."""
    using = replace(mapping(), list_id=UUID)
    found = [row for row in rows_of(batch(*rows), using) if row["reason"] is None]
    texts = clears & using.mask(FieldType.TEXT)
    contacts = [row | {"clears": texts & ~row["filled"]} for row in found]
    body = body_of(contacts, using)
    assert json.loads(body)["contacts"] == [json_contact(row, using) for row in contacts]
    assert len(body) <= sum(row["size"] for row in found) + ENVELOPE_BYTES


def json_contact(row: dict[str, Any], using: Mapping) -> dict[str, Any]:
    """The contact in a request: values that exist, "" for what is to be cleared."""
    contact: dict[str, Any] = {"email": row["email"]}
    for field, value in zip(using.fields, values_of(row["payload"], using), strict=True):
        if not value and not row["clears"] >> field.bit & 1:
            continue
        converted: Any = f"{value}T00:00:00Z" if field.type is FieldType.DATE else value
        if field.type is FieldType.NUMBER:
            converted = float(value) if "." in value else int(value)
        to = contact.setdefault("custom_fields", {}) if field.custom else contact
        to[field.id if field.custom else field.name] = converted
    return contact


@pytest.mark.parametrize("character", ['"', "\\", "é", "\U0001f468", "\u007f"])
def test_C10_the_worst_contact_is_not_larger_than_it_says(character: str) -> None:
    """Every field full of what takes most room in JSON."""
    row: dict[str, Any] = dict.fromkeys(COLUMNS.names, f"a{character * 1_500}a")
    row |= {"client_id": 1, "email": "a" * 64 + "@example.com", "exclusion": None}
    row |= {"phone": "+41791234567", "score": "-12345678901.25", "born": "2024-02-29"}
    (found,) = rows_of(batch(row), mapping())
    body = body_of([found | {"clears": 0}], mapping())
    envelope = body_of([], mapping())
    assert found["filled"] == 127
    assert len(body) - len(envelope) <= found["size"] < 1.1 * len(body)


@settings(max_examples=25)
@given(st.lists(ROWS, max_size=6))
def test_payload_mask_and_sign_tell_the_same(rows: list[dict[str, Any]]) -> None:
    """One place a field, a bit where there is a value, and whether a number is below zero."""
    using = mapping()
    for row in rows_of(batch(*rows), using):
        values = values_of(row["payload"], using)
        assert len(values) == len(using.fields)
        filled = {f.bit for f, value in zip(using.fields, values, strict=True) if value}
        assert row["filled"] == sum(1 << bit for bit in filled)
        score = values[[f.name for f in using.fields].index("Score")]
        assert row["negative"] == (score != "" and float(score) < 0)


@settings(max_examples=25)
@given(ROWS, ROWS)
def test_hashes_are_equal_when_what_is_sent_is_equal(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """And only then."""
    first, second = rows_of(batch(one, other), mapping())
    same = first["payload"] == second["payload"]
    assert (first["row_hash"] == second["row_hash"]) == same
    moved = rows_of(batch(one), replace(mapping(), list_id="another"))[0]
    assert moved["row_hash"] != first["row_hash"]
    assert moved["email_hash"] == first["email_hash"]


def dropped(found: Transformed) -> list[tuple[str, str, list[int]]]:
    """What was left out, cut or rounded: field, reason, clients."""
    parts = [(part.field, str(part.reason), part.client_id.tolist()) for part in found.dropped]
    return [part for part in parts if part[2]]


@settings(max_examples=25)
@given(st.lists(ROWS, max_size=6, unique_by=lambda row: row["client_id"]))
def test_B20_a_value_is_dropped_for_one_reason_and_only_where_there_is_one(
    rows: list[dict[str, Any]],
) -> None:
    """Of the clients that are asked for, and of nobody else."""
    found = transform(batch(*rows), mapping(), PLAIN)
    pairs = [(client, field) for field, _, clients in dropped(found) for client in clients]
    assert len(pairs) == len(set(pairs))
    by_name = {field.name: field.column for field in mapping().fields}
    given_values = {row["client_id"]: row for row in rows}
    assert all(given_values[client].get(by_name[field]) for client, field in pairs)
    some = {row["client_id"] for row in rows[::2]}
    kept = found.dropped_of(np.array([*some], np.int64))
    assert {(c, part.field) for part in kept for c in part.client_id.tolist()} == {
        pair for pair in pairs if pair[0] in some
    }


@settings(max_examples=40)
@given(ROWS, st.sampled_from(["first_name", "phone_number", "Score", "Born"]))
def test_B09_reject_and_drop_count_the_same_values(row: dict[str, Any], name: str) -> None:
    """The policy decides about the client, never about what counts as a bad value."""
    using = mapping()
    strict = tuple(
        replace(f, on_bad_value="reject", on_too_long="reject") if f.name == name else f
        for f in using.fields
    )
    lax, hard = (transform(batch(row), m, PLAIN) for m in (using, replace(using, fields=strict)))
    told = {f"{part.field}: {part.reason}" for part in lax.dropped if part.field == name}
    assert dropped(hard) == [found for found in dropped(lax) if found[0] != name]
    if told and lax.frame["reason"].isna().all():
        rejected = {f"{hard.frame['field'][0]}: {hard.frame['reason'][0]}"}
        assert rejected == told
    else:
        assert hard.frame["reason"].tolist() == lax.frame["reason"].tolist()
