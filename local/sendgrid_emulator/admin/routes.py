"""The administrator's endpoints, under /__admin: no key, no limits, no record of the calls.

Tests use them through `admin/client.py`. Nothing of SendGrid is like them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from typing import Any

import orjson
from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from local.sendgrid_emulator.model.account import account_of, base_url_of, service_of
from local.sendgrid_emulator.model.call_faults import Fault
from local.sendgrid_emulator.model.contacts import Contact
from local.sendgrid_emulator.model.job_faults import JobFault
from local.sendgrid_emulator.model.refusal import Refusal, answer
from local.sendgrid_emulator.model.show import Showcase
from local.sendgrid_emulator.model.spool import Spool, pieces
from local.sendgrid_emulator.routes.contacts import errors_url, queue_upsert
from local.sendgrid_emulator.routes.lists import show_list
from local.sendgrid_emulator.routes.request_body import check_upsert

PIECE_CONTACTS = 500
NDJSON = "application/x-ndjson"
router = APIRouter(prefix="/__admin")


async def admin_body(request: Request) -> dict[str, Any]:
    """Return the JSON object of an administrator's request."""
    body = await request.body()
    content = orjson.loads(body) if body else {}
    if not isinstance(content, dict):
        raise Refusal(400, "a JSON object is expected")
    return content


@router.post("/reset")
async def reset(request: Request) -> Response:
    """Start over with an empty account and the settings of the start."""
    await request.app.state.restart()
    return answer({})


@router.get("/settings")
async def get_settings(request: Request) -> Response:
    """Return all settings."""
    return answer(account_of(request).settings.model_dump())


@router.patch("/settings")
async def change_settings(request: Request) -> Response:
    """Change some settings, until the next reset."""
    account = account_of(request)
    try:
        account.settings = account.settings.changed(await admin_body(request))
        account.contacts.lag = account.settings.search_lag
    except ValidationError as error:
        raise Refusal(400, str(error)) from error
    return answer(account.settings.model_dump())


@router.get("/clock")
async def get_clock(request: Request) -> Response:
    """Return the account's time in epoch seconds."""
    return answer({"now": account_of(request).clock.now()})


@router.post("/clock")
async def advance_clock(request: Request) -> Response:
    """Move the account's clock forward by `advance` seconds."""
    account = account_of(request)
    now = account.clock.advance(float((await admin_body(request))["advance"]))
    account.queue.wake()
    return answer({"now": now})


@router.get("/contacts")
async def all_contacts(request: Request) -> Response:
    """Stream all contacts as they are in answers, one JSON object a line; with `email`, perhaps
    several times, those with these addresses only."""
    account = account_of(request)
    show = Showcase(account, base_url_of(request))
    found = list(account.contacts.by_id.values())
    if emails := request.query_params.getlist("email"):
        found = [contact for contact in map(account.contacts.by_email, emails) if contact]
    return StreamingResponse(contact_lines(found, show), media_type=NDJSON)


async def contact_lines(contacts: list[Contact], show: Showcase) -> AsyncIterator[bytes]:
    """Yield the lines of many contacts at a time, letting others be answered in between."""
    for start in range(0, len(contacts), PIECE_CONTACTS):
        piece = contacts[start : start + PIECE_CONTACTS]
        yield b"\n".join(orjson.dumps(show.contact(contact)) for contact in piece) + b"\n"
        await asyncio.sleep(0)


@router.put("/contacts")
async def put_contacts(request: Request) -> Response:
    """Queue an upsert without delay, to prepare an account; the body is that of PUT contacts."""
    account = account_of(request)
    contacts, list_ids = check_upsert(await admin_body(request), account)
    job = queue_upsert(account, contacts, list_ids, delay=0.0)
    return answer({"job_id": job.id}, 202)


@router.get("/calls")
async def get_calls(request: Request) -> Response:
    """Return the calls to both origins, in order."""
    return answer([call.answer() for call in account_of(request).calls])


@router.get("/calls/{number}/body")
async def get_call_body(request: Request, number: int) -> Response:
    """Return the body of a call, as long as it is kept."""
    for call in account_of(request).calls:
        if call.number == number and call.body is not None:
            return Response(call.body, media_type="application/octet-stream")
    raise Refusal(404, f"the body of call {number} is not kept")


@router.get("/uploads")
async def get_uploads(request: Request) -> Response:
    """Return the files that arrived, in order."""
    return answer([upload.answer() for upload in account_of(request).uploads])


@router.get("/uploads/{number}/body")
async def get_upload_body(request: Request, number: int) -> Response:
    """Return a file, decompressed unless `raw` is in the query."""
    for upload in account_of(request).uploads:
        if upload.number == number:
            raw = "raw" in request.query_params
            lines = file_pieces(upload.spool, raw=raw)
            return StreamingResponse(lines, media_type="application/octet-stream")
    raise Refusal(404, f"upload {number} is not kept")


def file_pieces(spool: Spool, *, raw: bool) -> Iterator[bytes]:
    """Yield a file, as it came or decompressed."""
    with spool.open() if raw else spool.open_plain() as file:
        yield from pieces(file)


@router.get("/jobs")
async def get_jobs(request: Request) -> Response:
    """Return all jobs as the API shows them, and what it does not show."""
    service, account = service_of(request), account_of(request)
    now = account.clock.now()
    return answer(
        [
            {
                **job.answer(now, errors_url(service.upload_url, account, job)),
                "kind": job.kind,
                "unchanged_count": job.unchanged,
                "failure": job.failure,
            }
            for job in account.jobs.values()
        ]
    )


@router.post("/faults")
async def add_fault(request: Request) -> Response:
    """Order a fault of a call, see `model.call_faults.Fault`."""
    try:
        account_of(request).faults.add(Fault.model_validate(await admin_body(request)))
    except ValueError as error:  # pydantic's ValidationError is one
        raise Refusal(400, str(error)) from error
    return answer({}, 201)


@router.get("/faults")
async def get_faults(request: Request) -> Response:
    """Return the faults that are still to come, of calls and of jobs."""
    account = account_of(request)
    return answer(
        {
            "calls": [fault.model_dump() for fault in account.faults.faults],
            "jobs": [asdict(fault) for fault in account.queue.faults],
        }
    )


@router.delete("/faults")
async def clear_faults(request: Request) -> Response:
    """Take all orders back."""
    account = account_of(request)
    account.faults.faults.clear()
    account.queue.faults.clear()
    return answer({})


@router.post("/job-faults")
async def add_job_fault(request: Request) -> Response:
    """Order a fault of a job, see `model.job_faults.JobFault`."""
    try:
        fault = TypeAdapter(JobFault).validate_python(await admin_body(request))
    except ValidationError as error:
        raise Refusal(400, str(error)) from error
    account_of(request).queue.faults.append(fault)
    return answer({}, 201)


@router.post("/lists")
async def create_list(request: Request) -> Response:
    """Create a list."""
    account = account_of(request)
    created = account.create_list((await admin_body(request)).get("name"))
    return answer(show_list(created, account, base_url_of(request)), 201)


@router.post("/fields")
async def create_field(request: Request) -> Response:
    """Create a custom field that can be used at once."""
    account, content = account_of(request), await admin_body(request)
    now = account.clock.now()
    field = account.fields.create(content.get("name"), content.get("field_type"), now)
    return answer(field.answer(base_url_of(request)), 201)
