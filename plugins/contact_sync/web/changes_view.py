"""A run's changes as their page shows them, with values for who may see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contact_sync.airflow_edge.handles import open_hash_keys
from contact_sync.base.changes import KINDS
from contact_sync.base.errors import SyncError
from contact_sync.reporting import change_lines
from contact_sync.reporting.change_lines import Change
from contact_sync.web.seen_sync import SeenSync

Values = dict[tuple[int, str], Mapping[str, tuple[str, str]]]
"""Client and kind → field → its value before and after."""
HIDDEN = "hidden"
STATES = ("confirmed", "pending", "rejected", "excluded")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that changes; its values, None = they aren't kept, or not for this viewer."""

    name: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One row of the list. `note` stands where no field is named."""

    client_id: int
    called: str
    address: str
    kind: str
    meaning: str
    fields: list[FieldChange]
    note: str
    why: str
    answer: str
    job: str


def rows_of(
    found: Iterable[Change], names: list[str], addresses: Mapping[int, str], values: Values,
    sync: SeenSync, *, is_over: bool,
) -> list[ChangeRow]:  # fmt: skip
    """`names`: all fields that the sync ever filled, in the order of their bits."""
    return [
        ChangeRow(
            change.client_id,
            change.client_key or str(change.client_id),
            sync.shown(addresses.get(change.client_id)),
            *KINDS[change.kind],
            fields(change, names, values),
            change_lines.note(change),
            change_lines.why(change),
            change_lines.answer(change, is_over=is_over),
            change_lines.job(change),
        )
        for change in found
    ]


def fields(change: Change, names: list[str], values: Values) -> list[FieldChange]:
    """What changes in the contact, field by field."""
    known = values.get((change.client_id, change.kind), {})
    said = change.names(names) or []
    return [FieldChange(name, *known.get(name, (None, None))) for name in said or known]


def kept_values(sync: SeenSync, run_id: int, found: Iterable[Change]) -> tuple[Values, str]:
    """Values that are kept encrypted, for who may see them; or why they can't be shown."""
    sealed = [change for change in found if change.sealed] if sync.sees_addresses else []
    if not sealed:
        return {}, ""
    from contact_sync.contacts.sealed_values import unseal

    try:
        keys = open_hash_keys(sync.definition)
        return {
            (change.client_id, change.kind):
                unseal(keys, (run_id, change.client_id), change.sealed or b"")
            for change in sealed
        }, ""  # fmt: skip
    except (SyncError, ValueError) as error:
        return {}, f"Values can't be shown: {error}"
