"""Routes of what keeps mail from an address unasked: bounces, blocks, invalid, spam reports.

Shapes from the API description (Suppressions).
"""

from __future__ import annotations

from typing import get_args

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from local.sendgrid_emulator.model.account import account_of
from local.sendgrid_emulator.model.refusal import Refusal, answer
from local.sendgrid_emulator.model.suppressions import Undelivered, described
from local.sendgrid_emulator.routes.request_body import (
    INVALID_INPUT,
    check_keys,
    is_text_list,
    json_body,
)
from local.sendgrid_emulator.routes.suppression_pages import page

router = APIRouter(prefix="/v3/suppression")


def kind_of(request: Request) -> Undelivered:
    """Return which of the four a call is about."""
    name = request.url.path.split("/")[3]
    return next(kind for kind in get_args(Undelivered) if kind == name)


def records_of(request: Request) -> dict[str, int]:
    """Return the addresses of the kind that a call is about."""
    return account_of(request).suppressions.undelivered[kind_of(request)]


async def get_page(request: Request) -> Response:
    """Return a page of them."""
    kind = kind_of(request)
    found = page(request, records_of(request))
    return answer([described(kind, email, created) for email, created in found])


async def get_one(request: Request, email: str) -> Response:
    """Return a list of one, or an empty one."""
    created = records_of(request).get(email.lower())
    kind = kind_of(request)
    return answer([] if created is None else [described(kind, email.lower(), created)])


async def lift_one(request: Request, email: str) -> Response:
    """Lift one: 204; what it answers for an address that had none is unknown: 404 [I]."""
    if records_of(request).pop(email.lower(), None) is None:
        raise Refusal(404, "not found")
    return Response(status_code=204)


async def lift_many(request: Request) -> Response:
    """Lift those that are named, or all: either `emails` or `delete_all` [K API description]."""
    content = await json_body(request)
    check_keys(content, {"emails", "delete_all"}, account_of(request))
    emails, everything = content.get("emails", []), content.get("delete_all", False)
    if not isinstance(emails, list) or not is_text_list(emails) or (emails and everything):
        raise Refusal(400, INVALID_INPUT, "emails")
    records = records_of(request)
    for email in list(records) if everything else emails:
        records.pop(email.lower(), None)
    return Response(status_code=204)


for name in get_args(Undelivered):
    router.add_api_route(f"/{name}", get_page, methods=["GET"])
    router.add_api_route(f"/{name}", lift_many, methods=["DELETE"])
    router.add_api_route(f"/{name}/{{email:path}}", get_one, methods=["GET"])
    router.add_api_route(f"/{name}/{{email:path}}", lift_one, methods=["DELETE"])
