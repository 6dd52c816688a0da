"""Refuse what never reaches a route: long addresses, unknown routes, wrong keys."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local.sendgrid_emulator.gate.recorder import CALL, ROUTE
from local.sendgrid_emulator.model.access import may_call
from local.sendgrid_emulator.model.account import Service
from local.sendgrid_emulator.model.refusal import Refusal

MAX_TARGET = 8150  # longer addresses meet nginx's 414 in HTML [K rudder-transformer]
TOO_LONG_PAGE = b"<html><head><title>414 Request-URI Too Large</title></head></html>"


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuses what never reaches a route: long addresses, unknown routes, wrong keys."""

    app: ASGIApp
    service: Service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on unless it is refused."""
        app: ASGIApp = self.app
        if CALL in scope:
            app = self.refused(scope) or app
        await app(scope, receive, send)

    def refused(self, scope: Scope) -> Response | None:
        """Return the answer of a call that is refused here, or None."""
        route, known_method = scope[ROUTE]
        if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET:
            return Response(TOO_LONG_PAGE, 414, media_type="text/html")
        if scope["path"].startswith("/v3/contactdb/"):  # the legacy product [K]
            return Refusal(403, "access forbidden").response()
        if route is None:
            return Refusal(404, "not found").response()
        if not known_method:
            return Refusal(405, "method not allowed").response()
        return self.refused_key(scope, route)

    def refused_key(self, scope: Scope, route: str) -> Response | None:
        """Return 401 or 403 when the key is missing, wrong or too weak for the route."""
        header = Request(scope).headers.get("authorization")
        if header is None:
            return Refusal(401, "authorization required").response()
        scheme, _, key = header.partition(" ")
        permission = self.service.permission(key) if scheme == "Bearer" else None
        if permission is None:  # csharp#185
            text = "The provided authorization grant is invalid, expired, or revoked"
            return Refusal(401, text).response()
        extra = self.service.account.settings.extra_scopes
        allowed = may_call(permission, extra, scope["method"], route)
        return None if allowed else Refusal(403, "access forbidden").response()
