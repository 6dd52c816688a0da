"""Routes of field definitions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from local.sendgrid_emulator.model.account import account_of, base_url_of
from local.sendgrid_emulator.model.refusal import answer
from local.sendgrid_emulator.routes.request_body import check_keys, json_body

router = APIRouter()
DEFINITIONS = "/v3/marketing/field_definitions"


@router.get(DEFINITIONS)
async def get_fields(request: Request) -> Response:
    """Return all fields; `custom_fields` is absent while there are none [K, three clients]."""
    fields, base_url = account_of(request).fields, base_url_of(request)
    shown: dict[str, Any] = {}
    if fields.custom:
        shown["custom_fields"] = [field.answer(base_url) for field in fields.custom.values()]
    shown["reserved_fields"] = [field.answer(base_url) for field in fields.reserved]
    return answer({**shown, "_metadata": {"self": base_url + DEFINITIONS}})


@router.post(DEFINITIONS)
async def create_field(request: Request) -> Response:
    """Create a custom field: 200, not 201; it can be used some seconds later [K StrongGrid]."""
    account = account_of(request)
    content = await json_body(request)
    check_keys(content, {"name", "field_type"}, account)
    usable_at = account.clock.now() + account.settings.field_delay
    field = account.fields.create(content.get("name"), content.get("field_type"), usable_at)
    return answer(field.answer(base_url_of(request)))


@router.patch(DEFINITIONS + "/{field_id}")
async def rename_field(request: Request, field_id: str) -> Response:
    """Rename a custom field; its type cannot change [K API description]."""
    account = account_of(request)
    content = await json_body(request)
    check_keys(content, {"name"}, account)
    return answer(account.fields.rename(field_id, content.get("name")).answer(base_url_of(request)))


@router.delete(DEFINITIONS + "/{field_id}")
async def delete_field(request: Request, field_id: str) -> Response:
    """Delete a custom field and its values."""
    account_of(request).fields.delete(field_id)
    return Response(status_code=204)
