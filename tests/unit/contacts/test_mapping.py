"""The mapping: names become ids, and everything wrong is told at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.mapping import Mapping, field_positions, resolve
from tests.support.samples import ACCOUNT, COLUMNS, FIELDS, define, mapping


def problems(fields: dict[str, Any], columns: pa.Schema = COLUMNS) -> list[str]:
    """What is wrong with a mapping."""
    definition = define(fields=fields)
    found, told = resolve(definition, ACCOUNT, columns, field_positions([], definition), None)
    assert (found is None) == bool(told)
    return told


def test_S10_fields_are_found_by_name_without_case() -> None:
    """Ids differ between accounts, so they are looked up in every run."""
    definition = define(fields={"STATUS": "status"})
    found, told = resolve(definition, ACCOUNT, COLUMNS, field_positions([], definition), None)
    assert told == []
    assert found is not None
    assert (found.fields[-1].name, found.fields[-1].id) == ("Status", "e1_T")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Level": "status"}, "SendGrid has no field 'Level': create it with `python -m"),
        ({"created_at": "born"}, "SendGrid's field 'created_at' is read-only: remove it"),
        ({"alternate_emails": "email"}, "'alternate_emails' can't be mapped (it holds an array)"),
        ({"external_id": "phone"}, "'external_id' can't be mapped (it is an identifier"),
        ({"city": "town"}, "clients.sql gives no column 'town' for field 'city': it gives client"),
        ({"city": "client_id"}, ""),
        (
            {"phone_number": "client_id"},
            "is bigint in PostgreSQL, which doesn't fit the Text field",
        ),
        (
            {"Born": "client_id"},
            "is bigint in PostgreSQL, which doesn't fit the Date field 'Born': write "
            "to_timestamp(client_id) AS client_id in clients.sql",
        ),
    ],
)
def test_each_mistake_is_told_with_its_mend(fields: dict[str, str], said: str) -> None:
    """Numbers may go into Text fields; nothing is sent in a form that SendGrid drops."""
    told = problems(fields)
    assert (said in told[0]) if said else told == []


def test_all_mistakes_are_told_at_once() -> None:
    """Fields, columns and the contract in one list."""
    columns = pa.schema([("client_id", pa.string()), ("email", pa.string())])
    told = problems({"Level": "status", "city": "town"}, columns)
    assert len(told) == 7
    wrong = "clients.sql must give column 'client_id' as bigint, not text: write client_id::bigint"
    hashed = "hashtextextended(client_id::text, 0) if it isn't a number"
    assert f"{wrong}, or {hashed}, there" in told
    assert "clients.sql must give column 'exclusion' as text" in told


@pytest.mark.parametrize(
    ("column", "kind", "said"),
    [
        ("exclusion", pa.bool_(), "not boolean: write CASE WHEN exclusion THEN 'the reason' END"),
        ("exclusion", pa.int32(), "not integer: write CASE WHEN … THEN 'the reason' END AS"),
        ("client_id", pa.int32(), "not integer: write client_id::bigint there"),
        ("client_id", pa.binary(), "not bytea: write hashtextextended(client_id::text, 0) there"),
        ("country_code", pa.binary(), "not bytea: write convert_from(country_code, 'UTF8') there"),
        ("country_code", pa.int16(), "not smallint: write country_code::text there"),
    ],
)
def test_what_to_write_for_a_column_of_the_contract_keeps_its_meaning(
    column: str, kind: pa.DataType, said: str
) -> None:
    """`false` as a text would exclude everybody."""
    types = {field.name: field.type for field in COLUMNS} | {column: kind}
    assert said in problems({"phone_number": "phone"}, pa.schema(types.items()))[0]


def test_only_mapped_columns_are_read() -> None:
    """Nothing else leaves B2CORE; the country code completes phone numbers."""
    assert mapping().columns == [
        "client_id", "email", "first_name", "last_name", "city", "phone", "status", "score",
        "born", "country_code", "exclusion",
    ]  # fmt: skip


def test_a_mapping_survives_the_state_database() -> None:
    """Every step of a run works with the same one."""
    assert Mapping.from_json(mapping().to_json()) == mapping()


def changed_mappings() -> dict[str, Mapping]:
    """Mappings that send something else."""
    base = mapping()
    first, *rest = base.fields
    return {
        "list": replace(base, list_id="L2"),
        "id": replace(base, fields=(replace(first, id="other"), *rest)),
        "column": replace(base, fields=(replace(first, column="other"), *rest)),
        "policy": replace(base, fields=(replace(first, on_bad_value="reject"), *rest)),
        "limit": replace(base, fields=(replace(first, max_length=9), *rest)),
        "fewer": replace(base, fields=tuple(rest)),
    }


@pytest.mark.parametrize("what", changed_mappings())
def test_B16_B18_the_version_changes_with_what_is_sent(what: str) -> None:
    """A field made again with another id, another list, another column …"""
    assert changed_mappings()[what].version != mapping().version


def test_the_version_does_not_change_with_where_masks_keep_their_bits() -> None:
    """Bits are a matter of the ledger, not of what is sent."""
    base = mapping()
    moved = tuple(replace(field, bit=field.bit + 1) for field in base.fields)
    assert replace(base, fields=moved).version == base.version


def test_field_positions_are_append_only() -> None:
    """A filled mask that was stored once keeps its meaning, whatever is mapped later."""
    first = field_positions([], define())
    assert first == ["first_name", "last_name", *FIELDS]
    assert field_positions(first, define(fields={"Born": "born", "country": "country"})) == [
        *first, "country",
    ]  # fmt: skip


def test_another_spelling_of_a_field_keeps_its_bit() -> None:
    """Else a value that was sent under the old spelling would never be cleared."""
    first = field_positions([], define())
    spelled = define(fields={"STATUS": "status"})
    assert field_positions(first, spelled) == first
    found, told = resolve(spelled, ACCOUNT, COLUMNS, first, None)
    assert told == []
    assert found is not None
    assert found.fields[-1].bit == first.index("Status")


@pytest.mark.parametrize(("more", "works"), [(56, True), (57, False)])
def test_a_mask_never_runs_out_of_bits(more: int, works: bool) -> None:
    """63 fields in a sync's life; then it is told, before a client is read."""
    first = field_positions([f"old{n}" for n in range(more)], define())
    found, told = resolve(define(), ACCOUNT, COLUMNS, first, None)
    assert len(first) == more + 7
    if works:
        assert found is not None
        assert found.mask(*FieldType) < 2**63
    else:
        assert told[0].startswith("This sync has mapped 64 different fields in its life; 63 are")


KINDS = {
    "text": pa.string(), "bigint": pa.int64(), "double": pa.float64(), "date": pa.date32(),
    "timestamptz": pa.timestamp("us", "UTC"), "boolean": pa.bool_(), "bytea": pa.binary(),
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "kinds"),
    [
        ("city", {"text", "bigint", "date", "boolean"}),
        ("Status", {"text", "bigint", "date", "boolean"}),
        ("phone_number", {"text"}),
        ("email", {"text"}),
        ("Score", {"text", "bigint", "double"}),
        ("Born", {"text", "date", "timestamptz"}),
    ],
)
def test_which_column_types_fit_which_field(field: str, kinds: set[str]) -> None:
    """Everything else has to be cast in clients.sql, where its form is decided."""
    columns = pa.schema([*COLUMNS, *(pa.field(f"a_{name}", kind) for name, kind in KINDS.items())])
    fits = {name for name in KINDS if not problems({field: f"a_{name}"}, columns)}
    assert fits == kinds


def test_masks_are_by_type() -> None:
    """Text can be cleared; Number and Date can't."""
    types = {field.name: field.type for field in mapping().fields}
    assert types["Score"] is FieldType.NUMBER
    assert mapping().mask(FieldType.NUMBER) == 1 << 5
    assert mapping().mask(FieldType.NUMBER, FieldType.DATE) == (1 << 5) | (1 << 6)
