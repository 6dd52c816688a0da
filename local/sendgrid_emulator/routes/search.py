"""Routes that read contacts: searches by identifier, batch, single, newest, counts."""

from __future__ import annotations

from itertools import islice
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from local.sendgrid_emulator.model.account import Account, account_of, base_url_of
from local.sendgrid_emulator.model.contacts import Contact, new_id
from local.sendgrid_emulator.model.fields import EMAIL, IDENTIFIER_COUNTS, IDENTIFIERS, SLOTS
from local.sendgrid_emulator.model.refusal import Refusal, answer
from local.sendgrid_emulator.model.show import Showcase
from local.sendgrid_emulator.model.values import is_email
from local.sendgrid_emulator.routes.request_body import (
    INVALID_INPUT,
    check_keys,
    is_text_list,
    json_body,
)
from local.sendgrid_emulator.routes.sgql import parse_query

MAX_IDS = 100  # API description: search/emails, search/identifiers and batch
MAX_SEARCHED_EMAIL = 100  # API description: maxLength of an item of search/emails
MAX_SHOWN = 50  # API description: search and GET contacts
NOT_FOUND = "contact not found"  # API description

router = APIRouter(prefix="/v3/marketing/contacts")


@router.post("/search/emails")
async def search_emails(request: Request) -> Response:
    """Find contacts by their own or alternate addresses; 404 when nobody is found [K]."""
    account = account_of(request)
    allowed = {"emails", *IDENTIFIERS[1:]}
    emails = await text_list(request, "emails", allowed)
    for email in emails:
        if len(email) > MAX_SEARCHED_EMAIL or not is_email(email):
            raise Refusal(400, f"email '{email}' is not valid", "emails")
    moment = account.clock.now() - account.settings.search_lag
    found = {email.lower(): account.contacts.as_of(moment, email.lower()) for email in emails}
    if account.settings.store_only:
        found = {email.lower(): pretended(account, email.lower()) for email in emails}
    return search_answer(request, account, found)


def pretended(account: Account, email: str) -> Contact:
    """Return a contact that is on every list and has nothing but its address."""
    values = tuple(email if slot == EMAIL else None for slot in range(account.fields.width))
    now = account.clock.now()
    return Contact(new_id(), values, tuple(account.lists), now, now)


@router.post("/search/identifiers/{identifier_type}")
async def search_identifiers(request: Request, identifier_type: str) -> Response:
    """Find contacts by identifiers of one kind."""
    account = account_of(request)
    if identifier_type not in IDENTIFIERS:
        raise Refusal(400, "identifier_type is not valid", "identifier_type")
    identifiers = await text_list(request, "identifiers", {"identifiers"})
    slot = SLOTS[identifier_type]
    if slot == EMAIL:
        identifiers = [item.lower() for item in identifiers]
    index = account.contacts.by_identifier[slot]
    return search_answer(request, account, {item: index.get(item) for item in identifiers})


async def text_list(request: Request, key: str, allowed: set[str]) -> list[str]:
    """Return the strings to look for, without empty ones; at most 100 [K]."""
    content = await json_body(request)
    check_keys(content, allowed, account_of(request))
    sought = content.get(key)
    if not isinstance(sought, list) or not is_text_list(sought):
        raise Refusal(400, INVALID_INPUT, key)
    if not 1 <= len(sought) <= MAX_IDS:
        raise Refusal(400, f"{key} must have 1 to {MAX_IDS} items", key)
    return [item for item in sought if item]


def search_answer(request: Request, account: Account, found: dict[str, Contact | None]) -> Response:
    """Return what was found, keyed by what was sought."""
    show = Showcase(account, base_url_of(request))
    result: dict[str, Any] = {
        key: {"error": NOT_FOUND} if contact is None else {"contact": show.contact(contact)}
        for key, contact in found.items()
    }
    if any(found.values()):
        return answer({"result": result})
    if account.settings.search_404 == "result":
        return answer({"result": result}, 404)
    raise Refusal(404, NOT_FOUND)


@router.post("/search")
async def search(request: Request) -> Response:
    """Find contacts with a part of SGQL; 50 are shown, paging does not exist [K]."""
    account = account_of(request)
    content = await json_body(request)
    check_keys(content, {"query"}, account)
    query = content.get("query")
    if not isinstance(query, str):
        raise Refusal(400, INVALID_INPUT, "query")
    matches = parse_query(query, account)
    found = [contact for contact in account.contacts.by_id.values() if matches(contact)]
    show = Showcase(account, base_url_of(request))
    return answer(
        {
            "result": [show.contact(contact) for contact in found[:MAX_SHOWN]],
            "contact_count": len(found),
            "_metadata": {"self": f"{base_url_of(request)}/v3/marketing/contacts/search"},
        }
    )


@router.post("/batch")
async def batch(request: Request) -> Response:
    """Return contacts by id; unknown ids are left out [I]."""
    account = account_of(request)
    contact_ids = await text_list(request, "ids", {"ids"})
    found = [account.contacts.by_id.get(item) for item in contact_ids]
    show = Showcase(account, base_url_of(request))
    return answer({"result": [show.contact(item) for item in found if item is not None]})


@router.get("")
async def newest_contacts(request: Request) -> Response:
    """Return the 50 newest contacts by address; parameters are ignored [K API description]."""
    account = account_of(request)
    show = Showcase(account, base_url_of(request))
    newest = list(islice(reversed(account.contacts.by_id.values()), MAX_SHOWN))
    newest.sort(key=lambda contact: str(contact.values[EMAIL] or ""))
    return answer(
        {
            "result": [show.newest(contact) for contact in newest],
            "contact_count": account.counts()[0],
            "_metadata": {"self": f"{base_url_of(request)}/v3/marketing/contacts"},
            "identifier_counts": identifier_counts(account),
        }
    )


@router.get("/count")
async def count_contacts(request: Request) -> Response:
    """Return the number of contacts [K recording 2026]."""
    account = account_of(request)
    total, _ = account.counts()
    counts = {"contact_count": total, "billable_count": total}
    return answer({**counts, "identifier_counts": identifier_counts(account)})


def identifier_counts(account: Account) -> dict[str, int]:
    """Return how many contacts have each identifier."""
    index = account.contacts.by_identifier
    return {name: len(index[SLOTS[item]]) for name, item in IDENTIFIER_COUNTS.items()}


@router.get("/{contact_id}")
async def get_contact(request: Request, contact_id: str) -> Response:
    """Return one contact."""
    account = account_of(request)
    contact = account.contacts.by_id.get(contact_id)
    if contact is None:
        raise Refusal(404, NOT_FOUND)
    return answer(Showcase(account, base_url_of(request)).contact(contact))
