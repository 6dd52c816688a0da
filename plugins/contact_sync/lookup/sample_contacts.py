"""Some clients as contacts-to-be, by the same code as a run's; nothing is sent or stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from contact_sync.b2core.reader import B2Core, Snapshot
from contact_sync.base.errors import ConfigError
from contact_sync.base.vocabulary import FieldType, SendGridField
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts import source_types
from contact_sync.contacts.hash_keys import PLAIN
from contact_sync.contacts.mapping import CLIENT_KEY, MAX_LENGTH, Mapping, field_positions, resolve
from contact_sync.contacts.payloads import values_of
from contact_sync.lookup.one_client import ClientRow, read_client
from contact_sync.reporting.explanation import as_text

_SOME = """
SELECT client_id FROM (
    SELECT DISTINCT client_id FROM (
    {scan}
    ) AS scan
    WHERE client_id IS NOT NULL
) AS clients
ORDER BY md5(client_id::text)
LIMIT {limit}
"""
"""Spread over all of them, and the same ones each time."""


@dataclass(frozen=True, slots=True)
class SampleField:
    """One field of a contact-to-be: its value, what it was made of, and the code of what is wrong
    with that ("" = nothing)."""

    name: str
    value: str = field(repr=False)
    column: str
    source: str = field(repr=False)
    problem: str


@dataclass(frozen=True, slots=True)
class SampleChoice:
    """One of a client's rows among which a rule chooses: "phone" or "address", its place, why."""

    part: str
    place: int | None
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class SampleContact:
    """A client as a contact-to-be. `exclusion` (None = none) and `reason` (a code) say why it isn't
    sent."""

    client_id: int
    client_key: str | None
    fields: list[SampleField]
    choices: list[SampleChoice]
    exclusion: str | None
    field: str
    reason: str
    detail: str


def sample_contacts(
    source: B2Core, definition: SyncDefinition, account: Iterable[SendGridField], limit: int
) -> Iterator[SampleContact]:
    """At most `limit` clients. `account`: SendGrid's fields; one that it lacks is taken to be
    there. Raises ConfigError when columns and fields don't fit."""
    with source.snapshot() as snapshot:
        mapping = _mapping(definition, account, snapshot.columns())
        for client_id in _some_ids(snapshot, limit):
            row = read_client(snapshot, mapping, definition, client_id, PLAIN)
            if row is not None:
                yield _contact(row, mapping, _choices(snapshot, client_id))


def sample_ids(source: B2Core, limit: int) -> list[int]:
    """At most `limit` ids of clients, the same ones each time. Raises ConfigError."""
    with source.snapshot() as snapshot:
        return _some_ids(snapshot, limit)


def _some_ids(snapshot: Snapshot, limit: int) -> list[int]:
    sql = _SOME.format(scan=snapshot.text("scan"), limit=limit)
    return snapshot.ids_by(sql, "scan")


def _mapping(
    definition: SyncDefinition, account: Iterable[SendGridField], columns: pa.Schema
) -> Mapping:
    known = {each.name.lower(): each for each in account}
    for name, target in definition.fields.items():
        if name.lower() not in known and target.column in columns.names:
            kind = source_types.field_type(columns.field(target.column)) or FieldType.TEXT
            custom = name not in MAX_LENGTH
            own = kind if custom else FieldType.TEXT
            known[name.lower()] = SendGridField(name, name, own, custom)
    positions = field_positions([], definition)
    mapping, problems = resolve(definition, known.values(), columns, positions, None)
    if mapping is None:
        raise ConfigError(
            "Columns and fields don't fit:\n" + "\n".join(f"  - {p}" for p in problems)
        )
    return mapping


def _contact(row: ClientRow, mapping: Mapping, choices: list[SampleChoice]) -> SampleContact:
    contact = row.contact
    values = [contact.email, *values_of(contact.payload, mapping)]
    fields = [
        SampleField(
            each.name, value, each.column, row.source.get(each.column, ""),
            row.dropped.get(each.name, ""),
        )
        for each, value in zip((mapping.email, *mapping.fields), values, strict=True)
    ]  # fmt: skip
    return SampleContact(
        row.client_id, row.source.get(CLIENT_KEY) or None, fields, choices, contact.exclusion,
        contact.field, contact.reason, contact.detail,
    )  # fmt: skip


def _choices(snapshot: Snapshot, client_id: int) -> list[SampleChoice]:
    """By explain.sql, if the folder has one."""
    if not (snapshot.folder / "explain.sql").is_file():
        return []
    return [
        SampleChoice(row["part"], row["place"], as_text(row["label"]), as_text(row["reason"]))
        for row in snapshot.choices(client_id)
    ]
