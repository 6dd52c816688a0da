"""Join a sync definition with the account's fields and the source's columns. Pure.

The result is a `Mapping`: for each SendGrid field its id, its column, its converter and limits.
Ids are resolved by name every run, because they differ between accounts and change when a field
is deleted and made again (Twilio docs, *Custom fields*).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import xxhash

from contact_sync.base.json_columns import known_fields
from contact_sync.base.near_misses import meant, nearest
from contact_sync.base.vocabulary import FieldType, SendGridField
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.fields import FieldMapping
from contact_sync.contacts import source_types
from contact_sync.contacts.countries import region_of

TRANSFORM_VERSION = 3
"""Raise it when a converter's output or the payload's form changes: every client is then compared
and sent again."""

MAX_LENGTH = {
    "email": 254, "first_name": 50, "last_name": 50, "address_line_1": 100, "address_line_2": 100,
    "city": 60, "state_province_region": 50, "postal_code": 50, "country": 50, "phone_number": 50,
}  # fmt: skip
"""Characters; OAS `contact` schema. It gives none for postal_code and phone_number: 50 is safe."""

FILLED_BITS = 63  # of a signed 64-bit integer, without the sign
CUSTOM_TEXT_MAX_LENGTH = 1_000  # Twilio docs, Custom fields
UNSUPPORTED = {
    "alternate_emails": "it holds an array",
    "phone_number_id": "it is an identifier; the e-mail address is this sync's only one",
    "external_id": "it is an identifier; the e-mail address is this sync's only one",
    "anonymous_id": "it is an identifier; the e-mail address is this sync's only one",
    "list_ids": "lists are set by `list`",
    "segment_ids": "SendGrid computes it",
}

CONTRACT: dict[str, dict[str, pa.DataType]] = {
    "clients": {"client_id": pa.int64(), "exclusion": pa.string()},
    "scan": {"client_id": pa.int64(), "email": pa.string(), "exclusion": pa.string()},
    "changed_xmin": {"client_id": pa.int64()},
    "changed_updated_at": {"client_id": pa.int64()},
}
"""Statement of the source → the columns that it must give; include/sql/b2core/README.md."""
PERSON_KEY, CLIENT_KEY = "person_key", "client_key"
"""Columns that clients.sql may give; `Mapping` says whether it does, in this order."""


@dataclass(frozen=True, slots=True)
class MappedField:
    """One SendGrid field and where its value comes from.

    `bit` is the field's place in filled masks: the position of its name in the sync's
    append-only field list, so that masks keep their meaning when the mapping changes.
    """

    name: str
    id: str
    type: FieldType
    custom: bool
    column: str
    on_bad_value: str
    on_too_long: str
    max_length: int
    bit: int


@dataclass(frozen=True)
class Mapping:
    """What a run writes where. `fields` excludes the address, which every contact has.

    `seed` (from the version hash) starts each row hash: another mapping, list or transform
    version gives other hashes, so every affected client is sent again once.
    """

    email: MappedField
    fields: tuple[MappedField, ...]
    list_id: str | None
    default_country: str | None = None
    has_person_key: bool = False
    has_client_key: bool = False

    @cached_property  # asked for with each chunk of clients
    def version(self) -> str:
        """16 hex digits that change with anything that changes what is sent."""
        parts = [asdict(field) for field in (self.email, *self.fields)]
        for part in parts:
            del part["bit"]
        text = json.dumps(
            [TRANSFORM_VERSION, self.list_id, self.default_country, parts], sort_keys=True
        )
        return xxhash.xxh3_64_hexdigest(text.encode())

    @property
    def seed(self) -> int:
        """The version as a number."""
        return int(self.version, 16)

    @property
    def columns(self) -> list[str]:
        """The source columns that are read; nothing else leaves B2CORE."""
        names = ["client_id", self.email.column, *(f.column for f in self.fields)]
        if any(field.name == "phone_number" for field in self.fields):
            names.append("country_code")
        if self.has_person_key:
            names.append(PERSON_KEY)
        if self.has_client_key:
            names.append(CLIENT_KEY)
        return list(dict.fromkeys([*names, "exclusion"]))

    def mask(self, *types: FieldType) -> int:
        """The bits of all mapped fields of the given types."""
        return sum(1 << field.bit for field in self.fields if field.type in types)

    def to_json(self) -> dict[str, Any]:
        """For the run's row in the state database."""
        return {
            "email": asdict(self.email),
            "fields": [asdict(field) for field in self.fields],
            "list_id": self.list_id,
            "default_country": self.default_country,
            "has_person_key": self.has_person_key,
            "has_client_key": self.has_client_key,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Mapping:
        """The inverse of `to_json`."""
        return cls(
            email=_mapped(data["email"]),
            fields=tuple(_mapped(field) for field in data["fields"]),
            list_id=data["list_id"],
            default_country=data.get("default_country"),
            has_person_key=data.get("has_person_key", False),
            has_client_key=data.get("has_client_key", False),
        )


def _mapped(data: dict[str, Any]) -> MappedField:
    return MappedField(**{**known_fields(MappedField, data), "type": FieldType(data["type"])})


def field_positions(known: list[str], definition: SyncDefinition) -> list[str]:
    """The sync's append-only field list, extended by the definition's new fields.

    Names are compared without case, as SendGrid does: another spelling is the same field.
    """
    lowered = {name.lower() for name in known}
    new = [name for name in definition.fields if name.lower() not in lowered | {"email"}]
    return [*known, *new]


def resolve(
    definition: SyncDefinition,
    account: Iterable[SendGridField],
    columns: pa.Schema,
    positions: list[str],
    list_id: str | None,
) -> tuple[Mapping | None, list[str]]:
    """Resolve the definition; returns the mapping, or None and *all* problems with their fixes."""
    by_name = {field.name.lower(): field for field in account}
    resolved: dict[str, MappedField] = {}
    needs_country = "phone_number" in map(str.lower, definition.fields)
    given = {name: name in columns.names for name in (PERSON_KEY, CLIENT_KEY)}
    more = {"country_code": needs_country} | given
    problems: list[str] = contract_problems(
        "clients", columns, {name: pa.string() for name, wanted in more.items() if wanted}
    )
    places = [name.lower() for name in positions]
    if len(places) > FILLED_BITS:
        problems.append(
            f"This sync has mapped {len(places)} different fields in its life; {FILLED_BITS} are "
            f"possible: give the definition a new name, which starts afresh with a full run"
        )
    problems += _country_problems(definition.default_country)
    for name, target in definition.fields.items():
        field = by_name.get(name.lower())
        found = _field_problems(definition.name, name, field, by_name.values())
        found += _column_problems(name, field, target, columns)
        problems += found
        if field and not found:
            bit = places.index(name.lower()) if name != "email" else -1
            resolved[name] = _mapped_field(field, target, bit)
    if problems:
        return None, problems
    email = resolved.pop("email")
    fields = tuple(resolved.values())
    return Mapping(email, fields, list_id, definition.default_country, *given.values()), []


def _country_problems(code: str | None) -> list[str]:
    try:
        region_of(code)
    except LookupError:
        return [f"default_country: {code!r} is not a country's code: write two letters, such as CH"]
    return []


def _mapped_field(field: SendGridField, target: FieldMapping, bit: int) -> MappedField:
    return MappedField(
        name=field.name,
        id=field.id,
        type=field.type,
        custom=field.custom,
        column=target.column,
        on_bad_value="reject" if field.name == "email" else target.on_bad_value,
        on_too_long=target.on_too_long,
        max_length=CUSTOM_TEXT_MAX_LENGTH if field.custom else MAX_LENGTH.get(field.name, 50),
        bit=bit,
    )


def _field_problems(
    sync: str, name: str, field: SendGridField | None, account: Iterable[SendGridField]
) -> list[str]:
    if field is None:
        near = meant(name, (other.name for other in account if not other.read_only))
        return [
            f"SendGrid has no field {name!r}: {near}create it with `python -m contact_sync fields "
            f"{sync} --create` or under Marketing > Custom Fields, or correct its name in the "
            f"definition"
        ]
    if field.read_only:
        return [f"SendGrid's field {name!r} is read-only: remove it from the definition"]
    if not field.custom and field.name in UNSUPPORTED:
        return [f"Field {name!r} can't be mapped ({UNSUPPORTED[field.name]}): remove it"]
    return []


def contract_problems(
    statement: str, columns: pa.Schema, more: dict[str, pa.DataType] | None = None
) -> list[str]:
    """What one of the source's statements lacks of the columns that every sync needs."""
    needed = CONTRACT[statement] | (more or {})
    return [
        f"{statement}.sql must give column {name!r} as {_sql_name(kind)}"
        + (
            f", not {source_types.name_of(columns.field(name))}: "
            f"write {_to_write(columns.field(name))} there"
            if name in columns.names
            else ""
        )
        for name, kind in needed.items()
        if name not in columns.names or columns.field(name).type != kind
    ]


def _sql_name(kind: pa.DataType) -> str:
    return "bigint" if pa.types.is_integer(kind) else "text"


def _to_write(column: pa.Field) -> str:
    """What makes one of the contract's columns right. `false` as a text would exclude everybody."""
    name = column.name
    if name == "exclusion":
        condition = name if pa.types.is_boolean(column.type) else "…"
        return f"CASE WHEN {condition} THEN 'the reason' END AS {name} (all but NULL excludes)"
    if name != "client_id":
        return str(source_types.cast(column))
    is_number = source_types.field_type(column) is FieldType.NUMBER
    hashed = f"hashtextextended({name}::text, 0)"
    if is_number:
        return f"{name}::bigint"
    is_text = pa.types.is_string(column.type)
    return f"{name}::bigint, or {hashed} if it isn't a number," if is_text else hashed


def _column_problems(
    name: str, field: SendGridField | None, target: FieldMapping, columns: pa.Schema
) -> list[str]:
    if target.column not in columns.names:
        near = nearest(target.column, columns.names)
        return [
            f"clients.sql gives no column {target.column!r} for field {name!r}: "
            f"it gives {', '.join(columns.names)}" + (f". Did you mean {near!r}?" if near else "")
        ]
    column = columns.field(target.column)
    if field is None or source_types.fits(field, column):
        return []
    cast = source_types.cast(column, field.type)
    fix = (
        f"write {cast} AS {target.column} in clients.sql"
        if cast
        else f"map another column, or a Text field and write {source_types.cast(column)} AS "
        f"{target.column} in clients.sql"
    )
    return [
        f"Column {target.column!r} is {source_types.name_of(column)} in PostgreSQL, which doesn't "
        f"fit the {field.type} field {name!r}: {fix}"
    ]
