"""Routes of lists."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from local.sendgrid_emulator.jobs.work import run_delete, run_list_removal
from local.sendgrid_emulator.model.account import Account, ContactList, account_of, base_url_of
from local.sendgrid_emulator.model.fields import IDENTIFIER_COUNTS, SLOTS
from local.sendgrid_emulator.model.refusal import Refusal, answer
from local.sendgrid_emulator.model.show import Showcase
from local.sendgrid_emulator.routes.request_body import JSON_TYPE, check_keys, json_body

DEFAULT_PAGE, MAX_PAGE = 100, 1000  # API description
MAX_SAMPLE = 50
MAX_REMOVED = 100  # what Segment sends; whether more are refused is unknown [I]

router = APIRouter(prefix="/v3/marketing/lists")


def show_list(item: ContactList, account: Account, base_url: str) -> dict[str, Any]:
    """Return a list as answers show it."""
    return {
        "id": item.id,
        "name": item.name,
        "contact_count": account.counts()[1].get(item.id, 0),
        "identifier_counts": identifier_counts(account, item.id),
        "_metadata": {"self": f"{base_url}/v3/marketing/lists/{item.id}"},
    }


def identifier_counts(account: Account, list_id: str) -> dict[str, int]:
    """Return how many contacts of a list have each identifier [K recording 2026]."""
    counts = {"EID": account.counts()[1].get(list_id, 0)}
    for name, identifier in IDENTIFIER_COUNTS.items():
        if name not in counts:
            having = account.contacts.by_identifier[SLOTS[identifier]].values()
            counts[name] = sum(list_id in contact.list_ids for contact in having)
    return counts


def find_list(account: Account, list_id: str) -> ContactList:
    """Return a list or answer 404."""
    if list_id not in account.lists:
        raise Refusal(404, "list not found", "id")
    return account.lists[list_id]


@router.post("")
async def create_list(request: Request) -> Response:
    """Create a list."""
    account = account_of(request)
    content = await json_body(request)
    check_keys(content, {"name"}, account)
    created = account.create_list(content.get("name"))
    return answer(show_list(created, account, base_url_of(request)), 201)


@router.get("")
async def get_lists(request: Request) -> Response:
    """Return a page of lists, in the order of their ids [K recording 2021]; the next one is behind
    `_metadata.next`.
    """
    account, base_url = account_of(request), base_url_of(request)
    size = page_size(request.query_params.get("page_size"))
    lists = sorted(account.lists.values(), key=lambda item: item.id)
    after = page_token(request.query_params.get("page_token", ""))
    start = sum(item.id <= after for item in lists)
    link = f"{base_url}/v3/marketing/lists?page_size={size}&page_token="
    metadata: dict[str, Any] = {"self": link + after, "count": len(lists)}
    if start:
        metadata["prev"] = link + (lists[start - size - 1].id if start > size else "")
    if start + size < len(lists):
        metadata["next"] = link + lists[start + size - 1].id
    page = [show_list(item, account, base_url) for item in lists[start : start + size]]
    return answer({"result": page, "_metadata": metadata})


def page_size(text: str | None) -> int:
    """Return the wanted page size; more than 1000 gives 1000 [K API description]."""
    if text is None:
        return DEFAULT_PAGE
    if not text.isdecimal() or int(text) < 1:
        raise Refusal(400, "page_size must be 1 to 1000", "page_size")
    return min(int(text), MAX_PAGE)


def page_token(text: str) -> str:
    """Return the id after which a page begins, also that of a list that is gone [I]."""
    try:
        return str(uuid.UUID(text)) if text else ""
    except ValueError as error:
        raise Refusal(400, "page_token is not valid", "page_token") from error


@router.get("/{list_id}")
async def get_list(request: Request, list_id: str) -> Response:
    """Return a list, with a sample of its newest contacts if asked for."""
    account, base_url = account_of(request), base_url_of(request)
    shown = show_list(find_list(account, list_id), account, base_url)
    if request.query_params.get("contact_sample") == "true":
        show = Showcase(account, base_url)
        members = reversed(account.contacts.on_list(list_id)[-MAX_SAMPLE:])
        sample = [show.contact(account.contacts.by_id[item]) for item in members]
        shown["contact_sample"] = sample
    return answer(shown)


@router.patch("/{list_id}")
async def rename_list(request: Request, list_id: str) -> Response:
    """Give a list another name."""
    account = account_of(request)
    item = find_list(account, list_id)
    content = await json_body(request)
    check_keys(content, {"name"}, account)
    if content.get("name") != item.name:
        item.name = account.list_name(content.get("name"))
    return answer(show_list(item, account, base_url_of(request)))


@router.delete("/{list_id}")
async def delete_list(request: Request, list_id: str) -> Response:
    """Delete a list: 204, or with its contacts 200 and a job [K API description].

    The 204 has a Content-Type although it has no body [K recording 2021].
    """
    account = account_of(request)
    find_list(account, list_id)
    with_contacts = request.query_params.get("delete_contacts") == "true"
    del account.lists[list_id]
    if not with_contacts:
        return Response(status_code=204, media_type=JSON_TYPE)
    contact_ids = account.contacts.on_list(list_id)
    job = account.remember_job(account.queue.begin("delete"))
    job.requested = len(contact_ids)
    work = partial(run_delete, account, job, contact_ids)
    account.queue.submit(job, account.settings.delay, work)
    return answer({"job_id": job.id})


@router.get("/{list_id}/contacts/count")
async def count_list(request: Request, list_id: str) -> Response:
    """Return how many contacts a list has."""
    account = account_of(request)
    find_list(account, list_id)
    count = account.counts()[1].get(list_id, 0)
    return answer({"contact_count": count, "billable_count": count})


@router.delete("/{list_id}/contacts")
async def remove_contacts(request: Request, list_id: str) -> Response:
    """Queue taking contacts off a list; 404 if the list or one of them does not exist [K]."""
    account = account_of(request)
    find_list(account, list_id)
    contact_ids = [item for item in request.query_params.get("contact_ids", "").split(",") if item]
    if not contact_ids and account.settings.no_ids == "refuse":
        raise Refusal(400, "contact_ids is required", "contact_ids")
    if len(contact_ids) > MAX_REMOVED and account.settings.many_ids == "refuse":
        raise Refusal(400, f"contact_ids must have at most {MAX_REMOVED} items", "contact_ids")
    if any(item not in account.contacts.by_id for item in contact_ids):
        raise Refusal(404, "contact not found", "contact_ids")
    job = account.remember_job(account.queue.begin("list_removal"))
    job.requested = len(contact_ids)
    work = partial(run_list_removal, account, job, list_id, contact_ids)
    account.queue.submit(job, account.settings.delay, work)
    return answer({"job_id": job.id}, 202)
