"""Which column a field of the account is likely to come from, judged by names and types. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from contact_sync.b2core.setup.spellings import COLUMNS, letters, variants
from contact_sync.b2core.setup.write_definition import RESERVED
from contact_sync.base.vocabulary import SendGridField
from contact_sync.config.fields import REQUIRED_FIELDS
from contact_sync.contacts import source_types


def proposed_fields(fields: Iterable[SendGridField], columns: Sequence[pa.Field]) -> dict[str, str]:
    """Field name → column of clients.sql; no column twice. E-mail and names are always there."""
    by_name = {column.name: column for column in columns}
    found = dict(REQUIRED_FIELDS)
    own = {field.name: field for field in fields if not field.read_only}
    for name, column in RESERVED.items():
        if name in own and _fits(own[name], by_name.get(column)):
            found[name] = column
    for name, field in own.items():
        if not field.custom:
            continue
        free = (c for c in columns if c.name not in found.values() and c.name != "client_id")
        likely = next((c.name for c in free if _same(name, c.name) and _fits(field, c)), None)
        if likely:
            found[name] = likely
    return found


def _fits(field: SendGridField, column: pa.Field | None) -> bool:
    return column is not None and source_types.fits(field, column)


def _same(field: str, column: str) -> bool:
    spelled = {letters(column), *COLUMNS.get(column, ())[:6]}
    return bool(spelled & set(variants(field))) or letters(field) in variants(column)
