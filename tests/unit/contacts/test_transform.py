"""The transform: one verdict, payload and hash per client."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.payloads import (
    ENVELOPE_BYTES,
    MAX_JSON_BYTES,
    MAX_JSON_CONTACTS,
    OutboxRow,
    csv_block,
    csv_field_ids,
    csv_header,
    csv_payloads,
    cut_csv_batches,
    cut_json_batches,
    json_body,
    json_contact,
    values_of,
)
from contact_sync.contacts.transform import hashes, transform
from tests.support.samples import batch, mapping

ROW = {
    "client_id": 7,
    "email": " Ann@Example.com",
    "first_name": "Ann",
    "city": "Zürich",
    "phone": "079 123 45 67",
    "country_code": "CH",
    "score": "-1.5",
    "born": "1990-02-01",
}
GOLDEN_HASHES = (1529586403950173578, 3244421341483603138, 0, 4963357690162434494)


def only(row: dict[str, Any], using: Mapping | None = None) -> dict[str, Any]:
    """The verdict on one client."""
    frame = transform(batch(row), using or mapping()).frame
    return dict(frame.astype(object).where(frame.notna(), None).iloc[0])


def test_a_client_becomes_a_payload() -> None:
    """Address and values in mapping order; no value is empty; the mask says which are filled."""
    found = only(ROW)
    assert found["email"] == "ann@example.com"
    fields = [field.name for field in mapping().fields]
    assert found["payload"].startswith('"ann@example.com","Ann",,"Zürich",')
    assert dict(zip(fields, values_of(found["payload"], mapping()), strict=True)) == {
        "first_name": "Ann", "last_name": "", "city": "Zürich", "phone_number": "+41791234567",
        "Status": "", "Score": "-1.5", "Born": "1990-02-01",
    }  # fmt: skip
    assert found["filled"] == 0b1101101
    assert bool(found["negative"])
    assert (found["field"], found["reason"], found["exclusion"]) == (None, None, None)


def test_hashes_stay_the_same_for_ever() -> None:
    """Literal values: a hash that was stored once must be comparable in every later version."""
    texts = pa.array(["ann@example.com", "", None, "Zoë"])
    assert hashes(texts).tolist() == [*GOLDEN_HASHES]
    assert hashes(texts.slice(1)).tolist() == [*GOLDEN_HASHES[1:]]


@pytest.mark.parametrize("change", [{"city": "Bern"}, {"email": "b@example.com"}, {"born": None}])
def test_any_mapped_value_changes_the_hash(change: dict[str, Any]) -> None:
    """And an unmapped one doesn't."""
    assert only(ROW)["row_hash"] != only(ROW | change)["row_hash"]
    assert only(ROW)["row_hash"] == only(ROW | {"country": "elsewhere"})["row_hash"]


def test_B18_another_mapping_gives_other_hashes() -> None:
    """So every client is sent again, once; also for another list."""
    other = replace(mapping(), list_id="another")
    assert only(ROW)["row_hash"] != only(ROW, other)["row_hash"]


def test_B09_values_that_do_not_fit_have_a_stated_fate() -> None:
    """Dropped and counted, or the client rejected with field and reason."""
    bad = ROW | {"phone": "call me", "score": "ten"}
    found = transform(batch(bad), mapping())
    assert dict(found.dropped) == {"phone_number: invalid": 1, "Score: not_a_number": 1}
    assert found.frame["reason"].isna().all()
    strict = mapping()
    fields = tuple(replace(field, on_bad_value="reject") for field in strict.fields)
    rejected = only(bad, replace(strict, fields=fields))
    assert (rejected["field"], rejected["reason"]) == ("phone_number", "invalid")


def test_a_client_without_address_is_rejected() -> None:
    """Its hash still tells whether its row changes."""
    found = only(ROW | {"email": None})
    assert (found["field"], found["reason"], found["email_hash"]) == ("email", "missing", 0)


def test_exclusions_pass_through() -> None:
    """The reason comes from the SQL."""
    assert only(ROW | {"exclusion": "no consent"})["exclusion"] == "no consent"


TEXT = st.none() | st.text(max_size=20)


@given(first=TEXT, last=TEXT, city=TEXT, status=TEXT)
def test_the_size_is_an_upper_bound_of_the_json(
    first: str | None, last: str | None, city: str | None, status: str | None
) -> None:
    """Whatever the text, a batch cut by `size` fits; and the payload has one place a field."""
    row = ROW | {"first_name": first, "last_name": last, "city": city, "status": status}
    found = only(row)
    assert len(values_of(found["payload"], mapping())) == len(mapping().fields)
    contact = json_contact(OutboxRow(found["email"], found["payload"], 0), mapping())
    assert (
        len(json.dumps(contact, ensure_ascii=False, separators=(",", ":")).encode()) + 1
        <= (found["size"])
    )


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


@given(st.integers(0, 5_000), st.integers(1, 700))
def test_csv_batches_are_balanced(contacts: int, limit: int) -> None:
    """Everyone once, none over the limit, sizes differ by one at most."""
    ranges = cut_csv_batches(contacts, limit)
    assert [i for a, b in ranges for i in range(a, b)] == list(range(contacts))
    sizes = [b - a for a, b in ranges] or [0]
    assert max(sizes) <= limit
    assert max(sizes) - min(sizes) <= 1


def payload(email: str, **filled: str) -> str:
    """A payload with some values."""
    values = [pa.array([filled.get(field.name)], pa.string()) for field in mapping().fields]
    return str(csv_payloads(pa.array([email]), values, mapping())[0])


def bits(*names: str) -> int:
    """The mask of some fields."""
    return sum(1 << field.bit for field in mapping().fields if field.name in names)


def test_json_leaves_out_what_has_no_value_and_clears_what_had_one() -> None:
    """Omitted = kept, "" = cleared; custom fields by id; numbers and dates in JSON's forms."""
    row = OutboxRow(
        "a@example.com",
        payload("a@example.com", first_name="Ann", Score="-1.5", Born="1990-02-01"),
        bits("city", "Status"),
    )
    assert json_contact(row, mapping()) == {
        "email": "a@example.com",
        "first_name": "Ann",
        "city": "",
        "custom_fields": {"e1_T": "", "e2_N": -1.5, "e3_D": "1990-02-01T00:00:00Z"},
    }


def bodies() -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Bodies with and without a list."""
    for list_id in ("L1", None):
        using = replace(mapping(), list_id=list_id)
        yield list_id, json.loads(json_body([OutboxRow("a@b.co", payload("a@b.co"), 0)], using))


def test_S12_the_list_is_in_every_call_or_nowhere() -> None:
    """By id; no key without a list."""
    for list_id, body in bodies():
        assert body.get("list_ids") == ([list_id] if list_id else None)
        assert body["contacts"] == [{"email": "a@b.co"}]


def test_csv_columns_follow_the_mapping() -> None:
    """Ids by position, a header of the same length, dates in the documented form."""
    using = mapping()
    ids = csv_field_ids(using)
    assert ids == ["_rf2_T", *(field.id for field in using.fields)]
    ann = payload("a@example.com", first_name='Ann "A", B', Born="1990-02-01")
    text = bytes(csv_block(pa.array([ann, payload("b@example.com")]))).decode()
    first, second = csv.DictReader(io.StringIO(",".join(csv_header(using)) + "\n" + text))
    assert list(first) == csv_header(using)
    assert {name: value for name, value in first.items() if value} == {
        "email": "a@example.com", "first_name": 'Ann "A", B', "Born": "02/01/1990",
    }  # fmt: skip
    assert {name: value for name, value in second.items() if value} == {"email": "b@example.com"}
    assert text.splitlines()[1] == '"b@example.com"' + "," * len(using.fields)


def test_a_block_of_payloads_is_sent_as_it_is() -> None:
    """Also when it is a part of an array; nothing but the rows themselves."""
    rows = [payload(f"{name}@example.com", first_name=name) for name in ("Ann", "Zoë", "Bo")]
    assert bytes(csv_block(pa.array(rows).slice(1))).decode() == rows[1] + rows[2]


def test_a_payload_is_one_line_or_the_run_stops() -> None:
    """A line break would move the values of a million contacts by one row."""
    names = [pa.array(["Ann\nBo"])] + [pa.array([None], pa.string())] * (len(mapping().fields) - 1)
    with pytest.raises(ValueError, match="1 contacts made 2 lines"):
        csv_payloads(pa.array(["a@example.com"]), names, mapping())
