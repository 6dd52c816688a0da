"""Routes of suppressions: global ones, those of groups, and the list of unsubscribes.

Shapes from the API description (Suppressions); its times are epoch seconds.
"""

from __future__ import annotations

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from local.sendgrid_emulator.model.account import account_of
from local.sendgrid_emulator.model.refusal import Refusal, answer
from local.sendgrid_emulator.model.suppressions import suppress
from local.sendgrid_emulator.model.values import is_email
from local.sendgrid_emulator.routes.request_body import (
    INVALID_INPUT,
    check_keys,
    is_text_list,
    json_body,
)
from local.sendgrid_emulator.routes.suppression_pages import page

EMAILS = "recipient_emails"
GLOBAL = "/v3/asm/suppressions/global"
GROUPS = "/v3/asm/groups"
GROUP = "/v3/asm/groups/{group_id}/suppressions"
OF_ADDRESS = "/v3/asm/suppressions/{email:path}"

router = APIRouter()


async def sent_emails(request: Request) -> list[str]:
    """Return the addresses of a request; one bad address refuses them all [I]."""
    content = await json_body(request)
    check_keys(content, {EMAILS}, account_of(request))
    emails = content.get(EMAILS)
    if not isinstance(emails, list) or not emails or not is_text_list(emails):
        raise Refusal(400, INVALID_INPUT, EMAILS)
    for email in emails:
        if not is_email(email):
            raise Refusal(400, f"email '{email}' is not valid", EMAILS)
    return emails


@router.post(GLOBAL)
async def suppress_globally(request: Request) -> Response:
    """Suppress addresses and repeat them; 201 for those that were there already, too."""
    account, emails = account_of(request), await sent_emails(request)
    suppress(account.suppressions.everywhere, emails, account.clock.now())
    return answer({EMAILS: emails}, 201)


@router.get(GLOBAL + "/{email:path}")
async def get_global(request: Request, email: str) -> Response:
    """Return the address if it is suppressed, else an empty object [K API description]."""
    known = email.lower() in account_of(request).suppressions.everywhere
    return answer({"recipient_email": email.lower()} if known else {})


@router.delete(GLOBAL + "/{email:path}")
async def lift_global(request: Request, email: str) -> Response:
    """Lift a suppression: 204, also for an address that had none [I]."""
    account_of(request).suppressions.everywhere.pop(email.lower(), None)
    return Response(status_code=204)


@router.get("/v3/suppression/unsubscribes")
async def get_unsubscribes(request: Request) -> Response:
    """Return a page of the global suppressions."""
    found = page(request, account_of(request).suppressions.everywhere)
    return answer([{"created": created, "email": email} for email, created in found])


@router.get(GROUP)
async def get_group(request: Request, group_id: str) -> Response:
    """Return the addresses that a group suppresses."""
    return answer(list(account_of(request).suppressions.group(group_id)))


@router.post(GROUP)
async def suppress_in_group(request: Request, group_id: str) -> Response:
    """Suppress addresses for the mails of a group; if there is none of that number, globally [K API
    description]. The answer says which, as text/plain [K recording 2026]."""
    account, emails = account_of(request), await sent_emails(request)
    known = account.suppressions.has_group(group_id)
    into = account.suppressions.group(group_id) if known else account.suppressions.everywhere
    suppress(into, emails, account.clock.now())
    content = orjson.dumps({"global": not known, EMAILS: emails})
    return Response(content, status_code=201, media_type="text/plain")


@router.get(GROUPS)
async def get_groups(request: Request) -> Response:
    """Return all groups; with how many addresses each [K API description]."""
    groups = account_of(request).suppressions.groups
    return answer([described(number) | {"unsubscribes": len(groups[number])} for number in groups])


@router.delete(GROUP + "/{email:path}")
async def lift_in_group(request: Request, group_id: str, email: str) -> Response:
    """Lift a group's suppression: 204, also for an address that had none [I]."""
    account_of(request).suppressions.group(group_id).pop(email.lower(), None)
    return Response(status_code=204)


@router.get(GROUPS + "/{group_id}")
async def get_group_itself(request: Request, group_id: str) -> Response:
    """Return one group [K API description]."""
    group = account_of(request).suppressions.group(group_id)
    return answer(described(int(group_id)) | {"unsubscribes": len(group)})


@router.get("/v3/asm/suppressions")
async def get_all_of_groups(request: Request) -> Response:
    """Return every suppression of every group [K API description]."""
    groups = account_of(request).suppressions.groups.items()
    found = [
        {"email": email, "group_id": n, "group_name": described(n)["name"], "created_at": created}
        for n, group in groups
        for email, created in group.items()
    ]
    return answer(found)


@router.post(GROUP + "/search")
async def search_group(request: Request, group_id: str) -> Response:
    """Return those of the addresses that the group suppresses [K API description]."""
    emails = await sent_emails(request)
    group = account_of(request).suppressions.group(group_id)
    return answer([email for email in emails if email.lower() in group])


@router.get(OF_ADDRESS)
async def get_groups_of_address(request: Request, email: str) -> Response:
    """Return all groups, and for each whether it suppresses the address [K API description]."""
    groups = account_of(request).suppressions.groups.items()
    found = [described(n) | {"suppressed": email.lower() in group} for n, group in groups]
    return answer({"suppressions": found})


def described(number: int) -> dict[str, object]:
    """Return what each answer says of a group."""
    return {"id": number, "name": f"Group {number}", "description": "", "is_default": False}
