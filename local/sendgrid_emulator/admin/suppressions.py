"""The administrator's endpoints for keys, suppressions and erasures, beside those of `admin`."""

from __future__ import annotations

from typing import get_args

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from local.sendgrid_emulator.admin.routes import admin_body
from local.sendgrid_emulator.model.access import Permission
from local.sendgrid_emulator.model.account import account_of
from local.sendgrid_emulator.model.refusal import Refusal, answer
from local.sendgrid_emulator.model.suppressions import suppress

router = APIRouter(prefix="/__admin")


@router.get("/suppressions")
async def get_suppressions(request: Request) -> Response:
    """Return the global suppressions with their epoch seconds."""
    return answer(account_of(request).suppressions.everywhere)


@router.post("/suppressions")
async def put_suppressions(request: Request) -> Response:
    """Suppress `emails` as of `created` (epoch seconds), now if it is null: globally if `kind` is
    null, else as blocks, bounces, invalid_emails or spam_reports.
    """
    account, content = account_of(request), await admin_body(request)
    created = account.clock.now() if content["created"] is None else content["created"]
    suppressions, kind = account.suppressions, content["kind"]
    into = suppressions.everywhere if kind is None else suppressions.undelivered[kind]
    suppress(into, content["emails"], created)
    return answer({}, 201)


@router.get("/erased")
async def get_erased(request: Request) -> Response:
    """Return the addresses that were erased."""
    return answer(sorted(account_of(request).erased))


@router.post("/groups")
async def create_group(request: Request) -> Response:
    """Create an unsubscribe group."""
    return answer({"id": account_of(request).suppressions.create_group()}, 201)


@router.post("/keys")
async def add_key(request: Request) -> Response:
    """Give a key another permission, or add one, until the next reset."""
    content = await admin_body(request)
    permission = next(
        (item for item in get_args(Permission) if item == content["permission"]), None
    )
    if permission is None:
        raise Refusal(400, f"permission is one of {', '.join(get_args(Permission))}")
    account_of(request).keys[content["key"]] = permission
    return answer({}, 201)
