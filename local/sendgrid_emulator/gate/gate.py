"""What every call passes before and after its route: record, limit, faults, keys.

Plain ASGI layers, outermost first: `Recorder` notes the call and its outcome, `Limits` counts it
and puts the three headers on its answer, `Faults` does what was ordered, `Guard` refuses unknown
routes and keys. The upload origin has only `Recorder` and `Faults`.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.sendgrid_emulator.gate.faults import Fault
from local.sendgrid_emulator.gate.rate_limits import TOO_MANY
from local.sendgrid_emulator.model.access import may_call
from local.sendgrid_emulator.model.account import Account, Call, Service
from local.sendgrid_emulator.model.refusal import Refusal

ADMIN_PREFIX = "/__admin"
MAX_TARGET = 8150  # longer addresses meet nginx's 414 in HTML [K rudder-transformer]
TOO_LONG_PAGE = b"<html><head><title>414 Request-URI Too Large</title></head></html>"
RESET_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close with RST
MAX_KEPT_BODY = 8 * 1024 * 1024
ROUTE, CALL = "emulator.route", "emulator.call"


@dataclass(frozen=True, slots=True)
class RouteTable:
    """The routes of an application: which template a path belongs to."""

    routes: list[tuple[re.Pattern[str], str, frozenset[str]]]

    @classmethod
    def of(cls, routes: Iterable[Any]) -> RouteTable:
        """Collect the routes of a FastAPI application, admin's left out."""
        return cls(
            [
                (route.path_regex, path_template(route), frozenset(route.methods))
                for route in routes
                if not route.path.startswith(ADMIN_PREFIX)
            ]
        )

    def find(self, method: str, path: str) -> tuple[str | None, bool]:
        """Return the template of a path and whether the method exists on it."""
        template: str | None = None
        for pattern, candidate, methods in self.routes:
            if pattern.match(path):
                if method in methods:
                    return candidate, True
                template = template or candidate
        return template, False


def path_template(route: Any) -> str:
    """Return a path such as /v3/marketing/lists/{list_id}, without the converters of Starlette."""
    return str(route.path_format)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Notes every call, except those of the administrator."""

    app: ASGIApp
    service: Service
    origin: Literal["api", "upload"]
    table: RouteTable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on and note how it ended."""
        if scope["type"] != "http" or scope["path"].startswith(ADMIN_PREFIX):
            await self.app(scope, receive, send)
            return
        scope[ROUTE] = route, _ = self.table.find(scope["method"], scope["path"])
        account = self.service.account
        call = scope[CALL] = Call(
            *(0, account.clock.now(), self.origin, scope["method"], scope["path"]),
            *(scope["query_string"].decode("latin-1"), route),
            by_test="x-test" in Request(scope).headers,
        )
        account.remember_call(call)
        await self._watch(call, account, scope, receive, send)

    async def _watch(
        self, call: Call, account: Account, scope: Scope, receive: Receive, send: Send
    ) -> None:
        body: list[bytes] = []

        async def noting_receive() -> Message:
            message = await receive()
            chunk = message.get("body", b"")
            call.request_bytes += len(chunk)
            if self.origin == "api" and call.request_bytes <= MAX_KEPT_BODY:
                body.append(chunk)
            return message

        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                keep_body()  # before the caller can ask for it
            await send(message)

        def keep_body() -> None:
            if any(body) and call.request_bytes <= MAX_KEPT_BODY:
                account.remember_body(call, b"".join(body))
            body.clear()

        try:
            await self.app(scope, noting_receive, noting_send)
        except ClientDisconnect:  # the caller went away in the middle of its request
            call.status = 0
        keep_body()


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts calls and says so in the headers of every answer, refusals included."""

    app: ASGIApp
    service: Service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on unless its minute is used up."""
        if CALL not in scope:
            await self.app(scope, receive, send)
            return
        account = self.service.account
        template = scope[ROUTE][0] or "unknown"
        now = account.clock.now()
        verdict = account.limiter.count(scope["method"], template, now, account.settings)
        headers = {**verdict.headers, "server": "nginx", "x-amzn-requestid": secrets.token_hex(16)}
        added = [(name.encode(), value.encode()) for name, value in headers.items()]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        app = self.app if verdict.passes else Refusal(429, TOO_MANY).response()
        await app(scope, receive, send_with_headers)


@dataclass(frozen=True, slots=True)
class Faults:
    """Makes calls fail as ordered."""

    app: ASGIApp
    service: Service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or do to it what its fault says."""
        fault = None
        if CALL in scope:
            route = scope[ROUTE][0] or "unknown"
            fault = self.service.account.faults.take(scope["method"], route)
        if fault is None:
            await self.app(scope, receive, send)
            return
        scope[CALL].fault = True
        await asyncio.sleep(fault.delay)
        await self._carry_out(fault, scope, receive, send)

    async def _carry_out(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        replaces = fault.reset or fault.status is not None
        if replaces and fault.when == "after":
            await self.app(scope, receive, swallow)
        if fault.reset:
            scope[CALL].status = 0
            reset(scope)
            await disconnection(receive)
        elif fault.status is not None:
            headers = {"content-type": "text/html"} | fault.headers
            reply = Response(fault.body.encode(), status_code=fault.status, headers=headers)
            await reply(scope, receive, send)
        elif fault.truncate is not None:
            await self._truncated(fault.truncate, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _truncated(self, length: int, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and the beginning of the real answer, then close the connection."""
        left = length

        async def send_beginning(message: Message) -> None:
            nonlocal left
            if message["type"] == "http.response.body":
                part = message.get("body", b"")[:left]
                left -= len(part)
                message = {"type": "http.response.body", "body": part, "more_body": True}
            await send(message)

        await self.app(scope, receive, send_beginning)
        scope["extensions"]["transport"].close()
        await disconnection(receive)


async def disconnection(receive: Receive) -> None:
    """Wait until the server has seen the end of the connection, or it reports a lost answer."""
    while (await receive())["type"] != "http.disconnect":
        continue


async def swallow(_: Message) -> None:
    """Drop an answer."""


def reset(scope: Scope) -> None:
    """Reset the connection of a call: the caller sees neither answer nor a clean end."""
    transport = scope["extensions"]["transport"]
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
    transport.abort()


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
        allowed = may_call(permission, scope["method"], route)
        return None if allowed else Refusal(403, "access forbidden").response()
