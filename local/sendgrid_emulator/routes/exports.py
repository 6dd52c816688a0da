"""Routes of exports, the only full read of an account, and of erasing addresses."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from local.sendgrid_emulator.model.account import account_of, base_url_of, service_of
from local.sendgrid_emulator.model.exports import Export, run_export
from local.sendgrid_emulator.model.refusal import Refusal, answer
from local.sendgrid_emulator.model.values import is_email
from local.sendgrid_emulator.routes.request_body import (
    INVALID_INPUT,
    check_keys,
    check_lists,
    is_text_list,
    json_body,
)

EXPORTS = "/v3/marketing/contacts/exports"
EXPORT_KEYS = {"list_ids", "segment_ids", "notifications", "file_type", "max_file_size"}
MAX_ERASED = 5_000  # API description
MAX_ERASE_BYTES = 256 * 1024  # API description

router = APIRouter()


@router.post(EXPORTS)
async def export_contacts(request: Request) -> Response:
    """Order an export. There are no segments here, and its file is never split [I]."""
    account = account_of(request)
    content = await json_body(request)
    check_keys(content, EXPORT_KEYS, account)
    file_type = content.get("file_type", "csv")
    if file_type not in ("csv", "json"):
        raise Refusal(400, "file_type must be csv or json", "file_type")
    if content.get("segment_ids"):
        raise Refusal(404, "segment not found", "segment_ids")
    check_options(content)
    list_ids = check_lists(content, account, 404)
    export = Export(account.queue.begin("export"), file_type, list_ids)
    account.remember_export(export)
    work = partial(run_export, account, export, base_url_of(request))
    account.queue.submit(export.job, account.settings.delay, work)
    shown = {"id": export.job.id, "_metadata": {"self": f"{base_url_of(request)}{EXPORTS}"}}
    return answer(shown, 202)


def check_options(content: dict[str, Any]) -> None:
    """Refuse wrong types of the options that change nothing here."""
    notifications, size = content.get("notifications", {}), content.get("max_file_size", 5000)
    if not isinstance(notifications, dict) or not set(notifications) <= {"email"}:
        raise Refusal(400, INVALID_INPUT, "notifications")
    if type(size) is not int or size < 1:
        raise Refusal(400, INVALID_INPUT, "max_file_size")


@router.get(EXPORTS + "/{export_id}")
async def get_export(request: Request, export_id: str) -> Response:
    """Show an export and, once it is ready, where its file is."""
    service, account = service_of(request), account_of(request)
    export = account.exports.get(export_id)
    if export is None:
        raise Refusal(404, "export not found")
    return answer(export.answer(account, service.upload_url, base_url_of(request)))


@router.post("/v3/recipients/erasejob")
async def erase(request: Request) -> Response:
    """Order the erasure of addresses from the event data; contacts stay [K API description]."""
    account = account_of(request)
    content = await json_body(request, limit=MAX_ERASE_BYTES)
    check_keys(content, {"email_addresses"}, account)
    emails = content.get("email_addresses")
    if not isinstance(emails, list) or not is_text_list(emails):
        raise Refusal(400, INVALID_INPUT, "email_addresses")
    if not 1 <= len(emails) <= MAX_ERASED:
        message = f"email_addresses must have 1 to {MAX_ERASED} items"
        raise Refusal(400, message, "email_addresses")
    for email in emails:
        if not is_email(email):
            raise Refusal(400, f"Email_address {email} is not valid", "email_addresses")
    account.erased.update(email.lower() for email in emails)
    return answer({"job_id": str(uuid.uuid4())}, 202)
