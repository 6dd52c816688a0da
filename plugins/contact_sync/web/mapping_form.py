"""What somebody has entered in a sync's form, and the keys of the definition that this is. Pure.

A key that the form doesn't have, such as `alerts`, stays as the present file has it, and so does
each one that says the same: also where it is written in another way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from contact_sync.base.errors import ConfigError
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.fields import REQUIRED_FIELDS

KEYS: dict[str, tuple[str, ...]] = {
    "name": ("name",), "caption": ("caption",), "enabled": ("enabled",), "schedule": ("schedule",),
    "b2core": ("connections", "b2core"), "sendgrid": ("connections", "sendgrid"),
    "state": ("connections", "state"), "sql": ("source", "sql"),
    "change_detection": ("source", "change_detection"), "list": ("list",),
    "default_country": ("default_country",), "full_every_hours": ("full_every_hours",),
    "on_address_change": ("on_address_change",), "on_address_lost": ("on_address_lost",),
    "on_client_deleted": ("on_client_deleted",), "on_exclusion": ("on_exclusion",),
    "on_list_change": ("on_list_change",), "carry_suppressions": ("carry_suppressions",),
    "carry_belongings": ("carry_belongings",), "suppress_excluded": ("suppress_excluded",),
}  # fmt: skip
"""Name in the form → where it stands in a definition."""
CONNECTIONS = ("b2core", "sendgrid", "state")
ALWAYS = ("name", "caption", "schedule", *CONNECTIONS, "sql", "change_detection", "list")
"""What a new definition says also where it is the default."""
FLAGS = {"true": True, "false": False}
MAY_BE_EMPTY = tuple(
    name for name in KEYS if SyncDefinition.model_fields[KEYS[name][0]].default is None
)
"""An empty text is null there."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A SendGrid field and the column that it comes from; "" = it isn't mapped."""

    name: str
    column: str = ""
    on_bad_value: str = "drop"
    on_too_long: str = "cut"

    @property
    def target(self) -> Any:
        """As a definition has it."""
        options = {"on_bad_value": self.on_bad_value, "on_too_long": self.on_too_long}
        more = {key: value for key, value in options.items() if value != _ROW[key]}
        return {"column": self.column, **more} if more else self.column


_ROW = {"on_bad_value": "drop", "on_too_long": "cut"}
_PARTS = ("field", "column", *_ROW)


@dataclass(frozen=True, slots=True)
class MappingForm:
    """The form's texts by the names in KEYS, and its rows of fields; None = none were shown yet."""

    texts: Mapping[str, str]
    rows: tuple[FieldRow, ...] | None

    def __getitem__(self, name: str) -> str:
        return self.texts[name]

    def with_texts(self, **texts: str) -> MappingForm:
        """The same with other texts."""
        return replace(self, texts={**self.texts, **texts})

    def data(self, present: Mapping[str, Any] | None) -> dict[str, Any]:
        """The keys of the definition: `present` (valid, as it is written) where nothing else was
        entered; None = it is a new one. Raises ConfigError for a field that is there twice."""
        was = form_of(SyncDefinition.model_validate(present or _NAMES))
        data = deepcopy(dict(present or {}))
        for name, path in KEYS.items():
            is_said = present is None and name in ALWAYS
            if is_said or self.texts[name].strip() != was.texts[name].strip():
                _put(data, path, _value(name, self.texts[name]))
            if present is None and name == "list":
                data["fields"] = {}  # they stand before what is rarely said
        _map(data, self.rows or (), was.rows or ())
        if not data.get("fields", True) and not (present or {}).get("fields"):
            del data["fields"]
        return data


_NAMES = {"name": "x", "caption": "x"}


def new_form(name: str = "", caption: str = "") -> MappingForm:
    """An empty form: the defaults, and no rows yet."""
    return replace(
        form_of(SyncDefinition.model_validate(_NAMES)).with_texts(name=name, caption=caption),
        rows=None,
    )


def form_of(definition: SyncDefinition) -> MappingForm:
    """The form as a definition fills it."""
    said = definition.model_dump(mode="json")
    rows = tuple(
        FieldRow(name, target.column, target.on_bad_value, target.on_too_long)
        for name, target in definition.fields.items()
    )
    return MappingForm({name: _text(_at(said, path)) for name, path in KEYS.items()}, rows)


def posted_form(pairs: Iterable[tuple[str, str]]) -> MappingForm:
    """The form that a browser sent, in its order. What it doesn't say has its default.

    A text in `b2core_typed`, and so on, comes before what was chosen in the list. Raises
    ConfigError for rows that aren't complete, which no form of ours sends.
    """
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value if name == "list" else value.strip())
    texts = dict(new_form().texts)
    for name in KEYS:
        typed = given.get(f"{name}_typed", [""])[-1]
        texts[name] = typed or given.get(name, [texts[name]])[-1]
    rows = _rows(given) if "field" in given else None
    return MappingForm(texts, rows)


def _rows(given: Mapping[str, list[str]]) -> tuple[FieldRow, ...]:
    columns = [given.get(part, []) for part in _PARTS]
    if len({len(column) for column in columns}) != 1:
        raise ConfigError("The form came in parts: open the page again and fill it in once more")
    rows = (FieldRow(*parts) for parts in zip(*columns, strict=True))
    return tuple(row for row in rows if row.name)


def _map(data: dict[str, Any], rows: Sequence[FieldRow], was: Sequence[FieldRow]) -> None:
    """Write rows into `data`: those that differ, in the definition's own spelling."""
    mapped = [row.name.lower() for row in rows if row.column]
    if twice := sorted({name for name in mapped if mapped.count(name) > 1}):
        raise ConfigError(f"A field has one column only; there twice: {', '.join(twice)}")
    before = {row.name.lower(): row for row in was}
    fields = dict(data.get("fields") or {})
    spelled = {name.lower(): name for name in fields}
    for row in rows:
        old = before.get(row.name.lower())
        name = spelled.get(row.name.lower(), old.name if old else row.name)
        if not row.column and name in REQUIRED_FIELDS:
            fields[name] = None  # which the definition's checks refuse in words
        elif not row.column and row.name.lower() not in mapped:
            fields.pop(name, None)
        elif not row.column:
            continue  # mapped by another row
        elif old is None or replace(row, name=old.name) != old:
            fields[name] = row.target
    if fields or "fields" in data:
        data["fields"] = fields or None if data.get("fields", {}) is None else fields


def _at(data: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = data
    for key in path:
        found = found[key]
    return found


def _put(data: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        inner = data.get(key)
        data[key] = dict(inner) if isinstance(inner, dict) else {}
        data = data[key]
    data[path[-1]] = value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _value(name: str, text: str) -> Any:
    """A text as the definition has it; what makes no sense there is left for its checks."""
    if not text and name in MAY_BE_EMPTY:
        return None
    if name in ("enabled", "carry_suppressions", "carry_belongings", "suppress_excluded"):
        return FLAGS.get(text, text)
    if name == "full_every_hours" and text.isascii() and text.isdigit() and len(text) < 9:
        return int(text)
    return text
