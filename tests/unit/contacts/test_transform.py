"""The transform: one verdict, payload and hash per client."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.contacts.hash_keys import PLAIN
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.payloads import values_of
from contact_sync.contacts.transform import transform
from tests.support.samples import batch, body_of, mapping

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
    frame = transform(batch(row), using or mapping(), PLAIN).frame
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
    assert PLAIN.texts(texts).tolist() == [*GOLDEN_HASHES]
    assert PLAIN.texts(texts.slice(1)).tolist() == [*GOLDEN_HASHES[1:]]


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
    found = transform(batch(bad), mapping(), PLAIN)
    dropped = [(part.field, part.reason, [*part.client_id]) for part in found.dropped]
    client = bad["client_id"]
    assert sorted(dropped) == [
        ("Score", "not_a_number", [client]), ("phone_number", "no_number", [client]),
    ]  # fmt: skip
    assert found.frame["reason"].isna().all()
    strict = mapping()
    fields = tuple(replace(field, on_bad_value="reject") for field in strict.fields)
    rejected = only(bad, replace(strict, fields=fields))
    assert (rejected["field"], rejected["reason"]) == ("phone_number", "no_number")


def test_a_client_without_address_is_rejected() -> None:
    """Its hash still tells whether its row changes."""
    found = only(ROW | {"email": None})
    assert (found["field"], found["reason"], found["email_hash"]) == ("email", "missing", 0)


@pytest.mark.parametrize(
    ("email", "reason", "detail"),
    [
        ("V\u0130CTIM@example.com", "not_ascii", "U+0130"),
        ("j\u043ehn\u200b@example.com", "not_ascii", "U+043E"),
        ("ann@ex\u0430mple.com", "look_alike_domain", "U+0430"),
        ("ann\uff20example.com", "invalid", "U+FF20"),
        ("\u00e1\u00e9\u00ed\u00f3@example.com", "not_ascii", "U+00E1, U+00E9, U+00ED"),
        ("not an address", "invalid", None),
        (None, "missing", None),
    ],
)
def test_B07_what_no_address_has_is_named_by_its_code_point(
    email: str | None, reason: str, detail: str | None
) -> None:
    """As B2CORE has it: nobody sees the difference on a screen."""
    found = only(ROW | {"email": email})
    assert (found["field"], found["reason"], found["detail"]) == ("email", reason, detail)


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
    body = body_of([found | {"clears": 0}], mapping())
    assert len(body) - len(body_of([], mapping())) + 1 <= found["size"]
