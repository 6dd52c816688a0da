"""Which field of a contact SendGrid refuses, from its own words: by name, by id or by column. Pure.

A CSV file's columns have the fields' names, so that a column is named by the same word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from contact_sync.contacts.mapping import MappedField, Mapping

_QUOTED = re.compile(r"(['\"`])(.*?)\1", re.DOTALL)
_ADDRESS = re.compile(r"\S*@\S*")
_STEP = re.compile(r"[\w-]+")
_SEPARATED = re.compile(r"[;\n]")
_OF_THE_ADDRESS = ("email", "identifier")
_MAX_KEPT = 1_000


class FieldNames:
    """The names of a mapping's fields, to be looked for in what SendGrid says of many contacts."""

    def __init__(self, mapping: Mapping) -> None:
        self._fields = mapping.fields
        self._patterns = [(_pattern(field), field) for field in mapping.fields]
        self._kept: dict[str, MappedField | None] = {}

    def named(self, said: str, where: str) -> list[MappedField]:
        """The mapped fields that a reason names, none of them twice; the address is none of them.

        `where`: the path that stands beside it, such as `contacts[3].custom_fields.e2_T`, or "".
        """
        steps = _STEP.findall(where)
        if steps and steps[-1].lower() in _OF_THE_ADDRESS:
            return []
        for step in reversed(steps):
            for field in self._fields:
                if step == field.id or step.lower() == field.name.lower():
                    return [field]
        found = (self._first(part) for part in _SEPARATED.split(said))
        return list({field.name: field for field in found if field is not None}.values())

    def _first(self, said: str) -> MappedField | None:
        """The field that is mentioned first, outside of quotes if any is."""
        bare = _ADDRESS.sub(" ", _QUOTED.sub(" ", said))
        if bare not in self._kept:  # rows that are refused for one cause differ in values only
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[bare] = self._mentioned(bare)
        return self._kept[bare] or next(self._quoted(said), None)

    def _mentioned(self, text: str) -> MappedField | None:
        found = (
            (match.start(), -len(field.name), field)
            for pattern, field in self._patterns
            if (match := pattern.search(text))
        )
        return min(found, key=lambda one: one[:2], default=(0, 0, None))[2]

    def _quoted(self, said: str) -> Iterator[MappedField]:
        for match in _QUOTED.finditer(said):
            for field in self._fields:
                if match.group(2) == field.id or match.group(2).lower() == field.name.lower():
                    yield field


def _pattern(field: MappedField) -> re.Pattern[str]:
    """Finds the field in a text. A custom name of one word, which people may use otherwise, counts
    only as it is spelled; one of several also with spaces between them: phone number.
    """
    name = re.escape(field.name)
    if "_" in field.name or not field.custom:
        name = f"(?i:{name.replace('_', '[_ -]')})"
    return re.compile(rf"(?<!\w)(?:{re.escape(field.id)}|{name})(?!\w)")
