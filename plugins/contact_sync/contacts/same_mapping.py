"""Whether the mapping of the run before is that of this one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from contact_sync.base.vocabulary import SendGridField
from contact_sync.contacts.mapping import MappedField, Mapping


def is_same(
    mapping: Mapping,
    account: Sequence[SendGridField],
    positions: Sequence[str],
    list_id: str | None,
) -> bool:
    """Whether the account has the list and all fields as then, of a definition and of columns that
    haven't changed since; `positions` are those of the fields in the ledger's masks."""
    by_name = {field.name.lower(): field for field in account}
    places = [name.lower() for name in positions]
    return mapping.list_id == list_id and all(
        (field := by_name.get(mapped.name.lower())) is not None
        and _is_same_field(mapped, field)
        and (mapped is mapping.email or places[mapped.bit] == mapped.name.lower())
        for mapped in (mapping.email, *mapping.fields)
    )


def _is_same_field(mapped: MappedField, field: SendGridField) -> bool:
    then = (mapped.name, mapped.id, mapped.type, mapped.custom, False)
    return then == (field.name, field.id, field.type, field.custom, field.read_only)
