"""The account's lists and fields beside a sync's mapping, and what is missing. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from contact_sync.base.near_misses import meant, nearest
from contact_sync.base.vocabulary import FieldType, SendGridField
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts import source_types

FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
"""OAS POST /v3/marketing/field_definitions; compared without case."""


@dataclass(frozen=True, slots=True)
class MissingField:
    """A mapped field that SendGrid doesn't have. `problem` = why it can't be created, else "";
    `near`: the account's field that may be meant."""

    name: str
    type: FieldType
    column: str
    problem: str
    near: str | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the account has: the names of its lists, its fields in SendGrid's order.

    `own_list` is the definition's; `columns`: lower-case field name → the column it is mapped from.
    """

    lists: list[str]
    own_list: str | None
    fields: list[SendGridField]
    columns: dict[str, str]
    missing: list[MissingField]

    @property
    def lacks_list(self) -> bool:
        """Whether the definition names a list that isn't there; a person creates it."""
        return self.own_list is not None and self.own_list not in self.lists


def catalogue(
    definition: SyncDefinition,
    lists: Mapping[str, str],
    fields: list[SendGridField],
    source: pa.Schema,
) -> Catalogue:
    """Join the definition with the account; `source` are the columns of clients.sql."""
    known = {field.name.lower() for field in fields}
    return Catalogue(
        lists=sorted(lists),
        own_list=definition.list,
        fields=fields,
        columns={name.lower(): target.column for name, target in definition.fields.items()},
        missing=[
            replace(
                _missing(name, target.column, source),
                near=nearest(name, (field.name for field in fields if not field.read_only)),
            )
            for name, target in definition.fields.items()
            if name.lower() not in known
        ],
    )


def _missing(name: str, column: str, source: pa.Schema) -> MissingField:
    problem = ""
    if FIELD_NAME.fullmatch(name) is None:
        problem = "a field's name has letters, digits and _ only, and doesn't start with a digit"
    elif column not in source.names:
        problem = f"clients.sql gives no column {column!r}"
    if column not in source.names:
        return MissingField(name, FieldType.TEXT, column, problem)
    given = source.field(column)
    kind = source_types.field_type(given)
    if kind is None:
        problem = problem or (
            f"column {column!r} is {source_types.name_of(given)}: "
            f"write {source_types.cast(given)} AS {column} in clients.sql"
        )
    return MissingField(name, kind or FieldType.TEXT, column, problem)


def likely_list(lists: Sequence[str], sync: str) -> str | None:
    """The list that a new sync of this name is likely to add its clients to, if one is."""
    likely = [each for each in lists if re.search(r"client|customer|b2core", each, re.IGNORECASE)
              or sync in each.lower()]  # fmt: skip
    return likely[0] if likely else lists[0] if len(lists) == 1 else None


def text(found: Catalogue) -> str:
    """The catalogue for people."""
    lists = [f"  {name}{'   <- the list of this sync' * (name == found.own_list)}"
             for name in found.lists]  # fmt: skip
    if found.own_list is not None and found.lacks_list:
        near = meant(found.own_list, found.lists)
        lists.append(f"  {found.own_list}   <- the list of this sync: MISSING, {near}create it")
    width = max([*(len(field.name) for field in found.fields), 12])
    rows = [
        f"  {field.name:<{width}}  {field.type:<6}  {_kind(field):<8}  {_from(found, field)}"
        for field in found.fields
    ]
    missing = [
        f"  {field.name:<{width}}  {field.type:<6}  {'custom':<8}  <- {field.column}"
        + (f"   can't be created: {field.problem}" if field.problem else "")
        + (f"   did you mean {field.near!r}?" if field.near else "")
        for field in found.missing
    ]
    parts = ["Lists", *(lists or ["  none"]), "", "Fields", *rows, "", "Missing fields"]
    return "\n".join([*parts, *(missing or ["  none"])])


def _kind(field: SendGridField) -> str:
    return "custom" if field.custom else "reserved"


def _from(found: Catalogue, field: SendGridField) -> str:
    column = found.columns.get(field.name.lower())
    if column is not None:
        return f"<- {column}"
    return "read-only" if field.read_only else "not mapped"
