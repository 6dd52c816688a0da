"""Routes that change contacts: upsert, CSV import, deletion, and the status of their jobs."""

from __future__ import annotations

import logging
import secrets
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from local.sendgrid_emulator.jobs.work import (
    run_counted,
    run_delete,
    run_delete_all,
    run_identifier_removal,
    run_upsert,
)
from local.sendgrid_emulator.model.account import (
    Account,
    Import,
    account_of,
    is_by_test,
    service_of,
)
from local.sendgrid_emulator.model.fields import EMAIL, IDENTIFIERS, SLOTS
from local.sendgrid_emulator.model.jobs import Job
from local.sendgrid_emulator.model.refusal import Refusal, answer
from local.sendgrid_emulator.model.settings import Settings
from local.sendgrid_emulator.model.signing import signed_url
from local.sendgrid_emulator.routes.request_body import (
    INVALID_INPUT,
    check_import,
    check_keys,
    check_upsert,
    json_body,
)

log = logging.getLogger(__name__)
router = APIRouter()
IDENTIFIER_TYPES = {name.replace("_", "").upper(): SLOTS[name] for name in IDENTIFIERS}


@router.put("/v3/marketing/contacts")
async def upsert_contacts(request: Request) -> Response:
    """Queue a JSON upsert; 202 means queued, nothing more [K]."""
    account = account_of(request)
    content = await json_body(request, bare_type=True)
    sent = account.sent.note_json(
        content.get("contacts"), account.suppressions, by_test=is_by_test(request)
    )
    contacts, list_ids = check_upsert(content, account)
    sent.job_id = queue_upsert(account, contacts, list_ids).id
    return answer({"job_id": sent.job_id}, 202)


def queue_upsert(
    account: Account,
    contacts: list[dict[str, Any]],
    list_ids: tuple[str, ...],
    *,
    delay: float | None = None,
) -> Job:
    """Queue the upsert of contacts that passed the check; None is the delay of the settings."""
    job = account.remember_job(account.queue.begin("json"))
    job.requested = len(contacts)
    if account.settings.store_only:  # asked now: the job may be later than the next setting
        work = partial(run_counted, account, job)
    else:
        work = partial(run_upsert, account, job, orjson.dumps(contacts), list_ids)
    account.queue.submit(job, account.settings.delay if delay is None else delay, work)
    return job


@router.put("/v3/marketing/contacts/imports")
async def import_contacts(request: Request) -> Response:
    """Hand out an upload address; 200, not 202 [K API description]."""
    service, account = service_of(request), account_of(request)
    mapping, list_ids = check_import(await json_body(request), account)
    job = account.remember_job(account.queue.begin("csv"))
    headers = upload_headers(job)
    account.imports[job.id] = Import(job, mapping, list_ids, headers)
    upload_uri = signed_url(
        service.upload_url,
        f"/imports/{job.id}",
        secret=account.secret,
        now=account.clock.now(),
        lifetime=account.settings.upload_lifetime,
    )
    shown = [{"header": name, "value": value} for name, value in headers.items()]
    return answer({"job_id": job.id, "upload_uri": upload_uri, "upload_headers": shown})


def upload_headers(job: Job) -> dict[str, str]:
    """Return headers that the upload must send: the known one [K java#692] and a random one.

    The random one catches clients that send what they have always sent, not what they were told.
    """
    return {
        "x-amz-server-side-encryption": "aws:kms",
        f"x-amz-meta-{secrets.token_hex(4)}": f"{job.id}.{secrets.token_hex(4)}",
    }


@router.get("/v3/marketing/contacts/imports/{job_id}")
async def get_import(request: Request, job_id: str) -> Response:
    """Show the job of an upsert, an import or a deletion."""
    service, account = service_of(request), account_of(request)
    job = account.jobs.get(job_id)
    if job is None or job.is_forgotten() or job.kind in unserved_jobs(account.settings):
        raise Refusal(404, "import job not found")
    return answer(job.answer(account.clock.now(), errors_url(service.upload_url, account, job)))


def unserved_jobs(settings: Settings) -> set[str]:
    """Return the kinds of jobs whose ids the account doesn't know."""
    modes = {
        "list_removal": settings.list_removal_jobs,
        "identifier_removal": settings.identifier_removal_jobs,
    }
    return {kind for kind, mode in modes.items() if mode == "unknown"}


def errors_url(origin: str, account: Account, job: Job) -> str | None:
    """Return a fresh address for a job's errors file, if it has one."""
    if job.errors is None or not account.settings.errors_url:
        return None
    return signed_url(
        origin,
        f"/errors/{job.id}/{job.errors.name}",
        secret=account.secret,
        now=account.clock.now(),
        lifetime=account.settings.errors_lifetime,
    )


@router.delete("/v3/marketing/contacts")
async def delete_contacts(request: Request) -> Response:
    """Queue the deletion of contacts by id. Unknown ids are passed over [I]."""
    account = account_of(request)
    contact_ids = [item for item in request.query_params.get("ids", "").split(",") if item]
    everything = request.query_params.get("delete_all_contacts") == "true"
    if bool(contact_ids) == everything:
        raise Refusal(400, "set either ids or delete_all_contacts", "ids")
    job = account.remember_job(account.queue.begin("delete"))
    if everything:
        log.warning("A client asked to delete all %d contacts", len(account.contacts))
        job.requested = len(account.contacts)
        work = partial(run_delete_all, account, job)
    else:
        job.requested = len(contact_ids)
        work = partial(run_delete, account, job, contact_ids)
    account.queue.submit(job, account.settings.delay, work)
    return answer({"job_id": job.id}, 202)


@router.delete("/v3/marketing/contacts/{contact_id}/identifiers")
async def delete_identifier(request: Request, contact_id: str) -> Response:
    """Queue taking an identifier from a contact; the last one stays [K API description]."""
    account = account_of(request)
    content = await json_body(request)
    check_keys(content, {"identifier_type", "identifier_value"}, account)
    kind, value = content.get("identifier_type"), content.get("identifier_value")
    if kind not in IDENTIFIER_TYPES or not isinstance(value, str):
        raise Refusal(400, INVALID_INPUT, "identifier_type")
    if contact_id not in account.contacts.by_id:
        raise Refusal(404, "contact not found")
    slot = IDENTIFIER_TYPES[kind]
    sought = value.lower() if slot == EMAIL else value
    job = account.remember_job(account.queue.begin("identifier_removal"))
    job.requested = 1
    work = partial(run_identifier_removal, account, job, contact_id, slot, sought)
    account.queue.submit(job, account.settings.delay, work)
    return answer({"job_id": job.id}, 202)
