"""Count the calls of a minute, and refuse those that are too many."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.sendgrid_emulator.gate.recorder import CALL, ROUTE
from local.sendgrid_emulator.model.account import Service
from local.sendgrid_emulator.model.rate_limits import TOO_MANY
from local.sendgrid_emulator.model.refusal import Refusal

BELOW_LIST = "/v3/marketing/lists/{list_id}/"


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
        template, now = scope[ROUTE][0] or "unknown", account.clock.now()
        buckets = account.settings.rate_buckets
        apart = buckets == "path" or (buckets == "list" and template.startswith(BELOW_LIST))
        of = scope["path"] if apart else template
        verdict = account.limiter.count(f"{scope['method']} {template}", of, now, account.settings)
        headers = {**verdict.headers, "server": "nginx", "x-amzn-requestid": secrets.token_hex(16)}
        added = [(name.encode(), value.encode()) for name, value in headers.items()]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        app = self.app if verdict.passes else Refusal(429, TOO_MANY).response()
        await app(scope, receive, send_with_headers)
