"""A sync's form as its page shows it: choices, fields, columns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from contact_sync.base.policy_words import (
    BAD_VALUE,
    DETECTION,
    ENABLED,
    POLICIES,
    TOO_LONG,
)
from contact_sync.base.vocabulary import SendGridField
from contact_sync.config.fields import REQUIRED_FIELDS
from contact_sync.contacts import source_types
from contact_sync.contacts.mapping import MAX_LENGTH, UNSUPPORTED
from contact_sync.lookup.both_sides import Account, Columns, SourceColumn
from contact_sync.lookup.proposed_fields import proposed_fields
from contact_sync.web.formats import count
from contact_sync.web.mapping_form import CONNECTIONS, FieldRow, MappingForm

BLANK_ROWS = 3
LABELS = {"b2core": "B2CORE's database", "sendgrid": "SendGrid account",
          "state": "State database"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a list."""

    value: str
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A list of the form; `typed`: a text may be entered instead, whose label this is."""

    name: str
    label: str
    options: list[Option]
    typed: str = ""


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field: what it is, its columns to choose from (None = they aren't known, so that one is
    typed), veiled values of the chosen one, and what happens to values that don't fit."""

    row: FieldRow
    kind: str
    columns: list[Option] | None
    samples: str
    bad_value: list[Option]
    too_long: list[Option]

    @property
    def is_new(self) -> bool:
        """Whether its name is still to be entered."""
        return not self.row.name

    @property
    def is_address(self) -> bool:
        """Whether it is the address, without which a client is never sent."""
        return self.row.name == "email"


@dataclass(frozen=True, slots=True)
class MappingView:
    """The form; `account` and `source` are None until somebody asked for them."""

    form: MappingForm
    connections: Mapping[str, list[str]]
    folders: list[str]
    account: Account | None = None
    source: Columns | None = None

    @property
    def was_looked_at(self) -> bool:
        """Whether the form has its second part."""
        return self.account is not None

    @property
    def problems(self) -> list[str]:
        """What couldn't be looked at, and why."""
        said = []
        if self.account and self.account.problem:
            said.append(f"SendGrid can't be asked, so type names of lists and fields: "
                        f"{self.account.problem}")  # fmt: skip
        if self.source and self.source.problem:
            without = "columns" if self.source.columns is None else "samples"
            said.append(f"B2CORE gave no {without}: {self.source.problem}")
        return said

    @property
    def seen(self) -> str:
        """What was looked at, in numbers."""
        lists, fields = (self.account.lists, self.account.fields) if self.account else (None, None)
        columns = self.source.columns if self.source else None
        parts = [
            count(len(found), what)
            for found, what in ((lists, "list"), (fields, "field"), (columns, "column"))
            if found is not None
        ]
        return f"Seen just now: {', '.join(parts)}." if parts else ""

    @property
    def connection_choices(self) -> list[Choice]:
        """A list for each connection."""
        return [
            Choice(name, LABELS[name],
                   _options(self.connections[name], self.form[name], "Airflow lists no such one"),
                   typed="or its id")
            for name in CONNECTIONS
        ]  # fmt: skip

    @property
    def folder_choice(self) -> Choice:
        """The folders with statements."""
        options = _options(self.folders, self.form["sql"], "there is no such folder")
        return Choice("sql", "Statements in include/sql/", options)

    @property
    def list_choice(self) -> Choice | None:
        """The account's lists; None = they aren't known."""
        if self.account is None or self.account.lists is None:
            return None
        names = {"": "no list: all contacts"} | {name: name for name in self.account.lists}
        options = _options(names, self.form["list"], "SendGrid has none: create it there")
        return Choice("list", "List", options, typed="or a list that you will create")

    @property
    def policies(self) -> list[Choice]:
        """What may be decided, in words."""
        asked = {name: (question, words) for name, (question, words) in POLICIES.items()}
        asked["change_detection"] = ("How are changed clients found?", DETECTION)
        asked["enabled"] = ("Is the sync enabled?", ENABLED)
        return [
            Choice(name, question, _options(words, self.form[name]))
            for name, (question, words) in asked.items()
        ]

    @property
    def lines(self) -> list[FieldLine]:
        """The form's fields in their order, then those of the account that aren't mapped, then
        empty ones for fields that are to be created."""
        account = {field.name.lower(): field for field in self._fields()}
        rows = list(self.form.rows or ())
        there = {row.name.lower() for row in rows}
        rows += [
            FieldRow(field.name) for name, field in account.items()
            if name not in there and not field.read_only
            and (field.custom or field.name not in UNSUPPORTED)
        ]  # fmt: skip
        rows += [FieldRow("")] * BLANK_ROWS
        return [self._line(row, account.get(row.name.lower())) for row in rows]

    @property
    def columns(self) -> list[tuple[SourceColumn, str, str]]:
        """Each column with its type and the fields that it goes to."""
        found = (self.source.columns if self.source else None) or []
        return [
            (column, source_types.name_of(column.field),
             ", ".join(row.name for row in self.form.rows or () if row.column == column.name))
            for column in found
        ]  # fmt: skip

    @property
    def _samples(self) -> dict[str, tuple[str, ...]]:
        found = (self.source.columns if self.source else None) or []
        return {column.name: column.samples for column in found}

    def _fields(self) -> list[SendGridField]:
        return (self.account.fields if self.account else None) or []

    def _line(self, row: FieldRow, field: SendGridField | None) -> FieldLine:
        return FieldLine(
            row,
            self._kind(row, field),
            self._columns(row, field),
            ", ".join(self._samples.get(row.column, ())),
            _options(BAD_VALUE, row.on_bad_value),
            _options(TOO_LONG, row.on_too_long),
        )

    def _kind(self, row: FieldRow, field: SendGridField | None) -> str:
        if field is not None:
            own = "custom" if field.custom else "SendGrid's own"
            return f"{field.type}, {own}" + (", read-only" if field.read_only else "")
        if not row.name:
            return "to be created: letters, digits and _"
        if self.account is None or self.account.fields is None:
            return "SendGrid's own" if row.name in MAX_LENGTH else "not known"
        column = self._column(row.column)
        kind = source_types.field_type(column) if column is not None else None
        return "missing, create it" + (f" as {kind}" if kind else "")

    def _column(self, name: str) -> pa.Field | None:
        found = (self.source.columns if self.source else None) or []
        return next((column.field for column in found if column.name == name), None)

    def _columns(self, row: FieldRow, field: SendGridField | None) -> list[Option] | None:
        if self.source is None or self.source.columns is None:
            return None
        fitting = {
            column.name: f"{column.name} ({source_types.name_of(column.field)})"
            for column in self.source.columns
            if (source_types.fits(field, column.field) if field
                else source_types.field_type(column.field))
        }  # fmt: skip
        none = {} if row.name in REQUIRED_FIELDS else {"": "not mapped"}
        known = self._column(row.column)
        why = "clients.sql gives none" if known is None else "doesn't fit the field"
        return _options(none | fitting, row.column, why)


def proposed(form: MappingForm, account: Account, source: Columns) -> tuple[FieldRow, ...]:
    """The rows of a new sync: what is likely to come from where."""
    columns = [column.field for column in source.columns or ()]
    found = proposed_fields(account.fields or (), columns)
    return form.rows or tuple(FieldRow(name, column) for name, column in found.items())


def _options(
    choices: Iterable[str] | Mapping[str, str], chosen: str, otherwise: str = "as it is now"
) -> list[Option]:
    """The choices, with what is chosen even if it is none of them: `otherwise` says so."""
    words = choices if isinstance(choices, Mapping) else {each: each for each in choices}
    missing = {} if chosen in words else {chosen: f"{chosen or 'none'} ({otherwise})"}
    return [Option(value, text, value == chosen) for value, text in {**missing, **words}.items()]
