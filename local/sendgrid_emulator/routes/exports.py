"""Routes of exports, the only full read of an account, and of erasing addresses."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from local.sendgrid_emulator.jobs.export import begin_export
from local.sendgrid_emulator.model.account import Account, account_of, base_url_of, service_of
from local.sendgrid_emulator.model.clock import iso
from local.sendgrid_emulator.model.exports import Export
from local.sendgrid_emulator.model.refusal import Refusal, answer
from local.sendgrid_emulator.model.signing import signed_url
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
    """Order an export; a body is optional [K]. There are no segments here."""
    account = account_of(request)
    content = await json_body(request) if await request.body() else {}
    check_keys(content, EXPORT_KEYS, account)
    file_type = content.get("file_type", "csv")
    if file_type not in ("csv", "json"):
        raise Refusal(400, "file_type must be csv or json", "file_type")
    if content.get("segment_ids"):
        raise Refusal(404, "segment not found", "segment_ids")
    size = check_options(content)
    list_ids = check_lists(content, account, 404)
    export = Export(account.queue.begin("export"), file_type, list_ids, size, account.clock.now())
    account.remember_export(export)
    work = partial(begin_export, account, export, base_url_of(request))
    account.queue.submit(export.job, account.settings.delay, work)
    link = {"self": f"{base_url_of(request)}{EXPORTS}"}
    return answer({"id": export.job.id, "_metadata": link}, 202)


def check_options(content: dict[str, Any]) -> int:
    """Return max_file_size; refuse wrong types of it and of what changes nothing here."""
    notifications, size = content.get("notifications", {}), content.get("max_file_size", 5000)
    if not isinstance(notifications, dict) or not set(notifications) <= {"email"}:
        raise Refusal(400, INVALID_INPUT, "notifications")
    if type(size) is not int or size < 1:
        raise Refusal(400, INVALID_INPUT, "max_file_size")
    return size


@router.get(EXPORTS)
async def list_exports(request: Request) -> Response:
    """Show all exports, in flight or over [K API description]; in which order is ours [I]."""
    service, account = service_of(request), account_of(request)
    base_url = base_url_of(request)
    every = [listed(export, account, service.upload_url, base_url)
             for export in reversed(account.exports.values())]  # fmt: skip
    return answer({"result": every, "_metadata": {"self": base_url + EXPORTS}})


def listed(export: Export, account: Account, origin: str, base_url: str) -> dict[str, Any]:
    """Return an item of GET exports: it has its own keys [K API description]."""
    found = shown(export, account, origin, base_url)
    keys = ("id", "status", "created_at", "completed_at", "expires_at", "urls", "_metadata")
    names = [account.lists[item] for item in export.list_ids if item in account.lists]
    return {key: found[key] for key in keys if key in found} | {
        "user_id": "1",
        "export_type": "list_export" if export.list_ids else "contacts_export",
        "segments": [],
        "lists": [{"ID": item.id, "Name": item.name} for item in names],
    }


@router.get(EXPORTS + "/{export_id}")
async def get_export(request: Request, export_id: str) -> Response:
    """Show an export and, once it is ready, where its files are."""
    service, account = service_of(request), account_of(request)
    export = account.exports.get(export_id)
    if export is None:
        raise Refusal(404, "export not found")
    return answer(shown(export, account, service.upload_url, base_url_of(request)))


def shown(export: Export, account: Account, origin: str, base_url: str) -> dict[str, Any]:
    """Return the body of GET exports/{id} [K API description]."""
    path = f"/v3/marketing/contacts/exports/{export.job.id}"
    now, finished_at = account.clock.now(), export.job.finish_at
    lifetime = account.settings.export_lifetime
    answered: dict[str, Any] = {
        "id": export.job.id,
        "status": "pending",
        "created_at": iso(export.job.accepted_at),
        "updated_at": iso(export.updated_at),
        "expires_at": iso((finished_at or export.job.accepted_at) + lifetime),
        "_metadata": {"self": base_url + path},
    }
    if finished_at is None or now < finished_at:
        return answered
    answered["completed_at"] = iso(finished_at)
    if export.job.failure is not None:
        return answered | {"status": "failure", "message": export.job.failure}
    signed = now if account.settings.export_links == "each look" else finished_at
    urls = [
        signed_url(
            origin,
            f"/exports/{export.job.id}/{export.name_of(number)}",
            secret=account.secret,
            now=signed,
            lifetime=lifetime,
        )
        for number in range(len(export.files))
    ]
    return answered | {
        "status": "ready",
        "urls": urls,
        "contact_count": export.contact_count,
    }


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
    addresses = {email.lower() for email in emails}
    account.erased.update(addresses)
    if account.settings.erase_suppressions:
        account.suppressions.forget(addresses)
    return answer({"job_id": str(uuid.uuid4())}, 202)
