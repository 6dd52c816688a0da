"""Read and check the bodies of requests, before any effect.

What is refused here refuses the whole call with 400 (or 404 for lists) and queues nothing.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
from starlette.requests import Request

from local.sendgrid_emulator.model.account import Account
from local.sendgrid_emulator.model.fields import IDENTIFIERS, WRITABLE, FieldDefinition
from local.sendgrid_emulator.model.refusal import Refusal
from local.sendgrid_emulator.model.values import is_email
from local.sendgrid_emulator.routes.refusals import (
    check_unnamed,
    place,
    refused_on_demand,
    unfit_values,
)

JSON_TYPE = "application/json"
MAX_ALTERNATES = 5  # API description
INVALID_INPUT = "invalid input"  # csharp#1021
UPSERT_KEYS = {"list_ids", "contacts"}
IMPORT_KEYS = {"list_ids", "file_type", "field_mappings"}
TEXT_KEYS = set(WRITABLE) - {"alternate_emails"}
DEPRECATED = {"whatsapp", "line", "facebook", "unique_name"}
CONTACT_KEYS = TEXT_KEYS | {"alternate_emails", "custom_fields"}
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CONTACT_COUNTS = "contacts must contain at least 1 and at most %d contacts"


async def json_body(
    request: Request, *, bare_type: bool = False, limit: int | None = None
) -> dict[str, Any]:
    """Return a JSON object; `bare_type` refuses a charset in Content-Type [K StrongGrid]."""
    content_type = request.headers.get("content-type", "")
    bare = content_type.split(";")[0].strip().lower()
    if bare != JSON_TYPE or (bare_type and content_type.lower() != JSON_TYPE):
        raise Refusal(400, f"invalid content-type: {content_type}")
    body = await limited_body(request, limit)
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, INVALID_INPUT, "") from error
    if not isinstance(content, dict):
        raise Refusal(400, INVALID_INPUT, "")
    return content


async def limited_body(request: Request, limit: int | None) -> bytes:
    """Read a body of at most `limit` bytes; a longer one is read away and refused [I].

    None is the limit of the account's settings.
    """
    settings = request.app.state.service.account.settings
    limit = limit or settings.max_json_bytes
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
    if size > limit:
        raise too_large(settings.too_large, limit)
    return b"".join(chunks)


def too_large(how: str, limit: int) -> Refusal:
    """Return the refusal of a body that is longer than `limit`."""
    if how == "413 page":
        return Refusal.as_page(413, "<html>413 Request Entity Too Large</html>", "text/html")
    return Refusal(int(how), f"request body is larger than {limit} bytes")


def check_keys(content: dict[str, Any], allowed: set[str], account: Account) -> None:
    """Refuse keys that the API description does not have [I]."""
    if account.settings.unknown_keys == "refuse":
        unknown = sorted(set(content) - allowed)
        if unknown:
            raise Refusal(400, f"unknown keys: {', '.join(unknown)}", unknown[0])


def check_lists(content: dict[str, Any], account: Account, missing: int) -> tuple[str, ...]:
    """Return the request's lists; answer `missing` when one does not exist."""
    list_ids = content.get("list_ids") or []
    if not isinstance(list_ids, list):
        raise Refusal(400, INVALID_INPUT, "list_ids")
    for list_id in list_ids:
        if not isinstance(list_id, str) or UUID.fullmatch(list_id) is None:
            raise Refusal(400, f"list id '{list_id}' is not valid", "list_ids")
        if list_id not in account.lists:
            raise Refusal(missing, f"list '{list_id}' does not exist", "list_ids")
    return tuple(dict.fromkeys(list_ids))


def check_upsert(
    content: dict[str, Any], account: Account
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return contacts and lists of PUT contacts, or refuse the whole call."""
    settings = account.settings
    check_keys(content, UPSERT_KEYS, account)
    contacts = content.get("contacts")
    if not isinstance(contacts, list):
        raise Refusal(400, INVALID_INPUT, "")
    if not 1 <= len(contacts) <= settings.max_json_contacts:
        raise Refusal(400, CONTACT_COUNTS % settings.max_json_contacts, "contacts")
    if settings.store_only:
        return contacts, check_lists(content, account, settings.unknown_list_status)
    for contact in contacts:
        check_shape(contact, account)
    contacts = without_deprecated(contacts, settings.deprecated_fields)
    list_ids = check_lists(content, account, settings.unknown_list_status)
    check_custom_fields(contacts, account)
    check_unnamed(contacts, account.settings)
    errors = [
        error for index, contact in enumerate(contacts) for error in wrong(index, contact, account)
    ]
    errors += refused_on_demand(contacts, account)
    errors += unfit_values(contacts, account)
    if errors:
        raise Refusal.several(400, errors[: settings.reported_errors])
    return contacts, list_ids


def without_deprecated(contacts: list[dict[str, Any]], mode: str) -> list[dict[str, Any]]:
    """Store, refuse or ignore the reserved fields that the API description has only in answers."""
    if mode == "store" or all(DEPRECATED.isdisjoint(contact) for contact in contacts):
        return contacts
    if mode == "refuse":
        raise Refusal(400, INVALID_INPUT, "")
    return [{k: v for k, v in contact.items() if k not in DEPRECATED} for contact in contacts]


def check_shape(contact: object, account: Account) -> None:
    """Refuse a contact whose JSON types are wrong: one of them refuses the call [K csharp#1021]."""
    if not isinstance(contact, dict):
        raise Refusal(400, INVALID_INPUT, "")
    if not contact.keys() <= CONTACT_KEYS:
        check_keys(contact, CONTACT_KEYS, account)
    for key, value in contact.items():
        if isinstance(value, str):
            right = key in TEXT_KEYS
        elif value is None:
            right = account.settings.null_of("reserved") != "refuse"
        elif key == "custom_fields":
            right = isinstance(value, dict)
        else:
            right = key == "alternate_emails" and is_text_list(value)
        if not right and key in CONTACT_KEYS:
            raise Refusal(400, INVALID_INPUT, "")


def is_text_list(value: object) -> bool:
    """Return whether a value is an array of strings."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def check_custom_fields(contacts: list[dict[str, Any]], account: Account) -> None:
    """Refuse unknown and too young ids [K nodejs#953, StrongGrid], and null [K docs#6323]."""
    used: set[str] = set()
    nulls: set[str] = set()
    for contact in contacts:
        custom = contact.get("custom_fields") or {}
        used.update(custom)
        nulls.update(key for key, value in custom.items() if value is None)
    check_custom_ids(sorted(used), account)
    for field_id in sorted(nulls):
        if account.settings.null_of(account.fields.custom[field_id].kind) == "refuse":
            raise Refusal(400, f'custom field "{field_id}" cannot be null')


def check_custom_ids(field_ids: list[str], account: Account) -> None:
    """Refuse custom field ids that cannot be written now."""
    now = account.clock.now()
    wrong_ids = [item for item in field_ids if account.fields.usable(item, now) is None]
    if wrong_ids:
        raise Refusal(400, f"invalid custom field ids supplied - {','.join(wrong_ids)}")


def wrong(index: int, contact: dict[str, Any], account: Account) -> list[tuple[str | None, str]]:
    """Return what is wrong with the identifiers of a contact, by field."""
    errors: list[tuple[str | None, str]] = []
    email_field = f"{place(index, account)}.{account.settings.email_error_field}"
    email = contact.get("email")
    if email and not is_email(email):
        errors.append((email_field, f"email '{email}' is not valid"))  # recording 2021
    if not any(contact.get(name) for name in IDENTIFIERS):
        message = "email '' is not valid" if email == "" else "at least one identifier is required"
        errors.append((email_field, message))
    alternates = contact.get("alternate_emails")
    if alternates:
        field = f"{place(index, account)}.alternate_emails"
        errors += [
            (field, f"email '{item}' is not valid") for item in alternates if not is_email(item)
        ]
        if len(alternates) > MAX_ALTERNATES:
            errors.append((field, f"at most {MAX_ALTERNATES} alternate emails"))
    return errors


def check_import(
    content: dict[str, Any], account: Account
) -> tuple[list[FieldDefinition | None], tuple[str, ...]]:
    """Return mapping and lists of PUT contacts/imports, or refuse it."""
    check_keys(content, IMPORT_KEYS, account)
    if content.get("file_type") != "csv":  # the only value, for gzip too [K API description]
        raise Refusal(400, "file_type must be csv", "file_type")
    mappings = content.get("field_mappings")
    if not isinstance(mappings, list) or not mappings:
        raise Refusal(400, "field_mappings must name at least one column", "field_mappings")
    if not all(item is None or isinstance(item, str) for item in mappings):
        raise Refusal(400, INVALID_INPUT, "field_mappings")
    mapping = [None if item is None else mapped_field(item, account) for item in mappings]
    named = [field.id for field in mapping if field is not None]
    if len(set(named)) < len(named):  # Formatting a CSV
        raise Refusal(400, "each field can only be applied to a column once", "field_mappings")
    if not any(field is not None and field.name in IDENTIFIERS for field in mapping):
        raise Refusal(400, "at least one identifier must be mapped", "field_mappings")
    return mapping, check_lists(content, account, 404)  # API description


def mapped_field(field_id: str, account: Account) -> FieldDefinition:
    """Return the field of a mapping; alternate_emails has no documented form in a CSV [I]."""
    field = account.fields.get(field_id)
    if field is not None and field.slot >= 0 and field.name != "alternate_emails":
        if not field.id.startswith("_rf"):
            check_custom_ids([field_id], account)
        return field
    raise Refusal(400, f"invalid custom field ids supplied - {field_id}", "field_mappings")
