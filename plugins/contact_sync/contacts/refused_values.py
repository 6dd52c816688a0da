"""Values that SendGrid refused: left out of a contact that is sent again, and of later runs. Pure.

They are remembered by hash, until the value changes: sent again, they would be refused again.
"""

from __future__ import annotations

from collections.abc import Mapping as Read
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from contact_sync.base.arrays import Int64, Mask, rows_of
from contact_sync.base.vocabulary import Refusal, ValueProblem
from contact_sync.contacts.arrow_columns import mask_of
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.payloads import csv_payloads, values_of

if TYPE_CHECKING:
    from contact_sync.contacts.converters import Converted


@dataclass(frozen=True, slots=True)
class RefusedValues:
    """Of one field: whose value SendGrid refused, in ascending order of ids, and its hash."""

    client_id: Int64
    value_hash: Int64


Refused = Read[str, RefusedValues]
"""By the field's name."""


class Contact(NamedTuple):
    """A contact as it was sent."""

    client_id: int
    email: str
    payload: str


class LeftOut(NamedTuple):
    """A contact without some of its values: the new payload and its hash, the mask of the fields
    that are empty now, the values' hashes by the fields' names, and SendGrid's plain words."""

    client_id: int
    email: str
    payload: str
    row_hash: int
    bits: int
    values: dict[str, int]
    detail: str | None


def filled(contact: Contact, fields: Sequence[MappedField], mapping: Mapping) -> list[MappedField]:
    """Those of the fields that the contact has a value in."""
    names = [field.name for field in mapping.fields]
    values = dict(zip(names, values_of(contact.payload, mapping), strict=True))
    return [field for field in fields if values[field.name]]


def without(
    contacts: Sequence[tuple[Contact, Sequence[MappedField], str | None]],
    mapping: Mapping,
    hashing: Hashing,
) -> list[LeftOut]:
    """The contacts without their values of the fields that stand beside each, with the detail."""
    if not contacts:
        return []
    kept: list[list[str | None]] = [[] for _ in mapping.fields]
    gone: list[dict[str, int]] = []
    for contact, fields, _ in contacts:
        refused: dict[str, int] = {}
        names = {field.name for field in fields}
        values = values_of(contact.payload, mapping)
        for column, field, value in zip(kept, mapping.fields, values, strict=True):
            is_refused = bool(value) and field.name in names
            if is_refused:
                refused[field.name] = hashing.text(value)
            column.append(None if is_refused else value or None)
        gone.append(refused)
    emails = pa.array([contact.email for contact, *_ in contacts], pa.string())
    columns = [pa.array(column, pa.string()) for column in kept]
    seed = mapping.seed
    bits = {field.name: 1 << field.bit for field in mapping.fields}
    return [
        LeftOut(
            contact.client_id, contact.email, payload, hashing.text(payload, seed),
            sum(bits[name] for name in refused), refused, detail,
        )
        for (contact, _, detail), payload, refused in zip(
            contacts, csv_payloads(emails, columns, mapping).to_pylist(), gone, strict=True
        )
    ]  # fmt: skip


def known_refusals(
    converted: Converted, clients: Int64, refused: RefusedValues, hashing: Hashing
) -> tuple[Converted, Mask]:
    """A converted column without the values that SendGrid refused before, which are a problem of
    it from now on; and whose refused value is another one by now, or none."""
    import pyarrow.compute as pc

    from contact_sync.contacts.converters import Converted
    from contact_sync.contacts.text_columns import arrow, series

    rows, found = rows_of(refused.client_id, clients)
    texts = arrow(converted.values)
    given = mask_of(texts.is_valid())
    same = found.copy()
    for row in np.flatnonzero(found):
        value = texts[int(row)].as_py()
        same[row] = given[row] and hashing.text(value) == refused.value_hash[rows[row]]
    if not same.any():
        return converted, found
    values = series(pc.if_else(pa.array(same), None, texts))
    problems: dict[ValueProblem | Refusal, Mask] = {Refusal.REFUSED_BY_SENDGRID: same}
    problems.update(converted.problems.items())
    return Converted(values, problems), found & ~same
