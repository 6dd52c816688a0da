"""JSON upserts: the cut into bodies, and what a body holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.contacts.json_bodies import (
    ENVELOPE_BYTES,
    MAX_JSON_BYTES,
    MAX_JSON_CONTACTS,
    cut_json_batches,
)
from contact_sync.contacts.mapping import Mapping
from tests.support.samples import body_of, mapping, payload


@given(st.lists(st.integers(100, 400_000), max_size=60))
def test_C10_json_batches_fit_and_cover_everyone_once(sizes: list[int]) -> None:
    """3.9 MB and 30 000 contacts."""
    ranges = cut_json_batches(np.array(sizes, np.int64))
    assert [i for a, b in ranges for i in range(a, b)] == list(range(len(sizes)))
    assert all(sum(sizes[a:b]) + ENVELOPE_BYTES <= MAX_JSON_BYTES for a, b in ranges)


def test_C10_a_batch_is_filled_to_the_brim_but_not_beyond() -> None:
    """The last contact that fits goes in; room for the list's id is kept."""
    room = MAX_JSON_BYTES - ENVELOPE_BYTES
    assert cut_json_batches(np.array([room - 100, 100, 1], np.int64)) == [(0, 2), (2, 3)]
    assert cut_json_batches(np.array([room - 100, 101], np.int64)) == [(0, 1), (1, 2)]


def test_C10_json_batches_hold_at_most_30000() -> None:
    """However small the contacts are."""
    ranges = cut_json_batches(np.full(70_000, 60, np.int64))
    assert [b - a for a, b in ranges] == [MAX_JSON_CONTACTS, MAX_JSON_CONTACTS, 10_000]


def bits(*names: str) -> int:
    """The mask of some fields."""
    return sum(1 << field.bit for field in mapping().fields if field.name in names)


def test_json_leaves_out_what_has_no_value_and_clears_what_had_one() -> None:
    """Omitted = kept, "" = cleared; custom fields by id; numbers and dates in JSON's forms."""
    first = payload("a@example.com", first_name="Ann", Score="-1.5", Born="1990-02-01")
    second = payload("b@example.com", last_name='O"Neill\\', city="Zürich\u007f")
    third = payload('"c\t d"@example.com')
    rows = [
        {"payload": first, "clears": bits("city", "Status")},
        {"payload": second, "clears": 0},
        {"payload": third, "clears": bits("Status")},
    ]
    assert sent(rows, mapping())["contacts"] == [
        {
            "email": "a@example.com",
            "first_name": "Ann",
            "city": "",
            "custom_fields": {"e1_T": "", "e2_N": -1.5, "e3_D": "1990-02-01T00:00:00Z"},
        },
        {"email": "b@example.com", "last_name": 'O"Neill\\', "city": "Zürich\u007f"},
        {"email": '"c\t d"@example.com', "custom_fields": {"e1_T": ""}},
    ]


def sent(rows: list[dict[str, Any]], using: Mapping) -> dict[str, Any]:
    """What the request says of these contacts."""
    found: dict[str, Any] = json.loads(body_of(rows, using))
    return found


def bodies() -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Bodies with and without a list."""
    for list_id in ("L1", None):
        using = replace(mapping(), list_id=list_id)
        row = {"payload": payload("a@b.co"), "clears": 0}
        yield list_id, sent([row], using)


def test_S12_the_list_is_in_every_call_or_nowhere() -> None:
    """By id; no key without a list."""
    for list_id, body in bodies():
        assert body.get("list_ids") == ([list_id] if list_id else None)
        assert body["contacts"] == [{"email": "a@b.co"}]
