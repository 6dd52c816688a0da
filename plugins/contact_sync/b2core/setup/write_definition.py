"""Write the definition of a sync for a proposal, with what SendGrid has. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from contact_sync.b2core.setup.parts import REF, Proposal, Value
from contact_sync.b2core.setup.spellings import COLUMNS, letters, snaked, variants
from contact_sync.b2core.setup.tables import INTEGERS, TIMES, Column
from contact_sync.b2core.setup.write_sql import CONTRACT, has_xmin
from contact_sync.base.vocabulary import FieldType, SendGridField

RESERVED = {
    "address_line_1": "address_line_1", "address_line_2": "address_line_2", "city": "city",
    "state_province_region": "state", "postal_code": "postal_code", "country": "country",
    "phone_number": "phone",
}  # fmt: skip
"""SendGrid's own field → column of clients.sql; e-mail and names are always mapped."""
CUSTOM = ("status", "client_type", "verification_level", "jurisdiction", "registered_on")
_NUMBERS = (*INTEGERS, "numeric", "real", "double precision", "money")
_ALWAYS = ("email", "first_name", "last_name", *RESERVED)


@dataclass(frozen=True, slots=True)
class Target:
    """Where contacts go: Airflow's ids of the connections, the list (None = none), the country of
    phone numbers that have no code."""

    b2core: str
    sendgrid: str
    state: str
    list: str | None = None
    default_country: str | None = None


def with_custom_fields(found: Proposal, fields: Iterable[SendGridField]) -> Proposal:
    """The proposal with a column for each custom field that is called as a column of the clients,
    and that it doesn't use so far."""
    mapped = {field.name for field, _ in custom_fields(found, fields)}
    used = {value.column.name for value in found.own}
    more: dict[str, Value] = {}
    for field in fields:
        if not field.custom or field.name in mapped or field.read_only:
            continue
        for column in found.clients.columns:
            name = snaked(column.name).strip("_")[:60] or "_"
            form = _form(field.type, column)
            same = letters(field.name) in variants(column.name)
            taken = name in (*CONTRACT, "client_id", "exclusion", *more) or not name[0].isalpha()
            if same and form and column.name not in used and not taken:
                more[name] = Value(column, (), form)
                break
    return replace(found, more=more)


def _form(kind: FieldType, column: Column) -> str | None:
    if kind is FieldType.NUMBER and column.type in _NUMBERS:
        return f"{REF}::numeric"
    if kind is FieldType.DATE and column.type in (*TIMES, "date"):
        return REF
    if kind is FieldType.TEXT and (column.is_text or column.type in (*INTEGERS, "boolean", "uuid")):
        return f"{REF}::text"
    return None


def custom_fields(
    found: Proposal, fields: Iterable[SendGridField]
) -> list[tuple[SendGridField, str]]:
    """The account's custom fields that a column of clients.sql fits, each with that column."""
    has = [name for name in CUSTOM if name in found.values]
    matched = []
    free = [field for field in fields if field.custom and not field.read_only]
    for column in (*has, *found.more):
        value = found.more.get(column)
        own = letters(value.column.name if value else column)
        spelled = {letters(column), own, *(COLUMNS.get(column, ())[:6])}
        field = next((f for f in free if letters(f.name) == letters(column)), None) or next(
            (f for f in free if spelled & set(variants(f.name))), None
        )
        day = column == "registered_on"
        if field and (
            value or field.type is FieldType.TEXT or (day and field.type is FieldType.DATE)
        ):
            matched.append((field, column))
            free.remove(field)
    return matched


def definition_text(
    name: str, found: Proposal, target: Target, fields: list[SendGridField] | None
) -> str:
    """The definition; `fields` of the account, None = they aren't known."""
    phone = found.phones or found.phone_rows
    has = {*found.values, *(["phone"] if phone else ())}
    has |= set(found.address_rows.values) if found.address_rows else set()
    detection = "xmin" if has_xmin(found) else "updated_at"
    matched = custom_fields(found, fields or [])
    mapped = {column for _, column in matched}
    lines = [
        "# yaml-language-server: $schema=sync.schema.json",
        "# Written by `python -m contact_sync init`. What isn't said here has its default: docs/reference.md.",
        f"name: {name}",
        f"caption: {name}",
        'schedule: null              # only runs that you trigger; try "*/15 * * * *" after the first load',
        "connections:",
        f"  b2core: {target.b2core}",
        f"  sendgrid: {target.sendgrid}",
        f"  state: {target.state}",
        "source:",
        f"  sql: {name}",
        f"  change_detection: {detection}",
    ]
    if target.list is None:
        lines.append(
            "# list: NAME                # create it under Marketing > Contacts, then name it here"
        )
    else:
        lines.append(f"list: {json.dumps(target.list, ensure_ascii=False)}")
    if target.default_country:
        lines.append(f"default_country: {json.dumps(target.default_country)}")
    lines += ["fields:", "  # E-mail, first and last name are always mapped."]
    lines += [f"  {field}: {column}" for field, column in RESERVED.items() if column in has]
    lines += [
        f"  {json.dumps(field.name, ensure_ascii=False)}: {column}" for field, column in matched
    ]
    missing = [column for column in CUSTOM if column in has and column not in mapped]
    if missing:
        lines.append("  # SendGrid has no field for these. To have one, take the # away and run:")
        lines.append(f"  # python -m contact_sync fields {name} --create")
        lines += [f"  # {column.capitalize()}: {column}" for column in missing]
    return "\n".join(lines) + "\n"
