"""Note every call and its outcome, with the route that its path belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.sendgrid_emulator.model.account import Account, Call, Service, is_by_test

ADMIN_PREFIX = "/__admin"
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
            by_test=is_by_test(Request(scope)),
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
