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


def fields_named(said: str, where: str, mapping: Mapping) -> list[MappedField]:
    """The mapped fields that a reason names, none of them twice; the address is none of them.

    `where`: the path that stands beside it, such as `contacts[3].custom_fields.e2_T`; "" = none.
    """
    steps = _STEP.findall(where)
    if steps and steps[-1].lower() in _OF_THE_ADDRESS:
        return []
    for step in reversed(steps):
        for field in mapping.fields:
            if step == field.id or step.lower() == field.name.lower():
                return [field]
    found = (_first(part, mapping) for part in _SEPARATED.split(said))
    return list(dict.fromkeys(field for field in found if field is not None))


def _first(said: str, mapping: Mapping) -> MappedField | None:
    """The field that is mentioned first, outside of quotes if any is."""
    bare = _ADDRESS.sub(" ", _QUOTED.sub(" ", said))
    places = sorted(
        ((place, -len(field.name), field) for field in mapping.fields
         if (place := _place(field, bare)) is not None),
        key=lambda found: found[:2],
    )  # fmt: skip
    if places:
        return places[0][2]
    return next(_quoted(said, mapping), None)


def _place(field: MappedField, text: str) -> int | None:
    """Where a text mentions the field. A custom name of one word, which people may use otherwise,
    counts only as it is spelled; one of several also with spaces between them: phone number.
    """
    spelled = [re.escape(field.id), re.escape(field.name)]
    found = [re.search(rf"(?<!\w){name}(?!\w)", text) for name in spelled]
    if "_" in field.name or not field.custom:
        loose = re.escape(field.name.lower()).replace("_", r"[_ \-]")
        found.append(re.search(rf"(?<!\w){loose}(?!\w)", text.lower()))
    return min((match.start() for match in found if match), default=None)


def _quoted(said: str, mapping: Mapping) -> Iterator[MappedField]:
    for match in _QUOTED.finditer(said):
        for field in mapping.fields:
            if match.group(2) == field.id or match.group(2).lower() == field.name.lower():
                yield field
