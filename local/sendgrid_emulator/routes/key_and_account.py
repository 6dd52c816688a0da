"""Routes that tell of the key and of the account behind it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from local.sendgrid_emulator.model.access import SCOPES
from local.sendgrid_emulator.model.account import service_of
from local.sendgrid_emulator.model.refusal import answer

router = APIRouter()


@router.get("/v3/scopes")
async def get_scopes(request: Request) -> Response:
    """Return what the key may do."""
    service = service_of(request)
    key = request.headers["authorization"].removeprefix("Bearer ")
    extra = service.account.settings.extra_scopes
    permission = service.permission(key)
    if permission is None:
        raise AssertionError("the gate lets no unknown key pass")
    return answer({"scopes": sorted({*SCOPES[permission], *extra})})


@router.get("/v3/user/account")
async def get_account() -> Response:
    """Return the account's type, `free` or `paid`, and reputation in percent [K page "Users API"];
    this one pays and sends no mail.
    """
    return answer({"type": "paid", "reputation": 100})
