"""Which requests come in: so many at a time, of readable values, and none stays for ever.

The pages live in Airflow's API server, beside what tasks and other pages need: its threads, and
connections of both databases. Whoever looks clients up or downloads lists may slow down others who
do the same, but no run: at most PAGES + DOWNLOADS requests of a process are inside, and each holds
one connection of either database at most.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import Request, Response

from contact_sync.web.rendering import page

log = logging.getLogger(__name__)
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

PAGES, DOWNLOADS = 8, 2
"""How many a process answers at a time; the threads that it shares with Airflow are 40 (anyio)."""
RETRY_SECONDS = 5
STALL_SECONDS = 60.0
"""A reader that takes no more of its answer for so long loses it."""
MAX_BODY = 1 << 20
"""Bytes; the form of a sync whose account has 500 fields has 100,000."""
FILES = (".csv", ".parquet")
"""How the path of a download ends."""
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Admission:
    """Answers 503 with Retry-After when too many are inside, 400 to what holds NUL or is no
    form, 408 to a form that doesn't come, 413 to what is longer than any form; static files are
    left alone."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._inside: Counter[bool] = Counter()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] != "http" or "/static/" in scope["path"]:
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(STALL_SECONDS):
                body = await _body(receive)
        except TimeoutError:
            await Response(status_code=408)(scope, receive, send)
            return
        is_file = scope["path"].endswith(FILES)
        if refused := self._refused(scope, body, is_file=is_file):
            await refused(scope, receive, send)
            return
        self._inside[is_file] += 1
        try:
            await self.app(scope, _given(body, receive), _patient(send))
        except _Stalled:
            log.warning("An answer is broken off: its reader took nothing for %g s", STALL_SECONDS)
        finally:
            self._inside[is_file] -= 1

    def _refused(self, scope: Message, body: bytes, *, is_file: bool) -> Response | None:
        request = Request(scope)
        if len(body) > MAX_BODY:
            said = "What was sent is longer than any form of these pages."
            return page(request, "failure.html", status=413, title="Too long", message=said)
        if "\0" in scope["path"] or b"%00" in scope["query_string"] or _has_nul(body):
            said = "What was asked for holds NUL, which no name and no value has."
            return page(request, "failure.html", status=400, title="Not understood", message=said)
        if body and not request.headers.get("content-type", "").startswith(FORMS):
            said = "These pages take forms, and nothing else."
            return page(request, "failure.html", status=400, title="Not understood", message=said)
        if self._inside[is_file] < (DOWNLOADS if is_file else PAGES):
            return None
        what = "files are" if is_file else "pages are"
        said = f"So many {what} being made that this one has to wait. Try again in some seconds."
        answer = page(request, "failure.html", status=503, title="Just a moment", message=said)
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
        return answer


class _Stalled(Exception):
    """Nobody reads the answer."""


def _has_nul(body: bytes) -> bool:
    return b"\0" in body or b"%00" in body


async def _body(receive: Receive) -> bytes:
    """What was sent; of what is too long, the beginning."""
    body = b""
    while len(body) <= MAX_BODY:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


def _given(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body at once, then what comes."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _patient(send: Send) -> Send:
    """A `send` that waits for the reader, and no longer than STALL_SECONDS."""

    async def waiting(message: Message) -> None:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                await send(message)
        except TimeoutError:
            raise _Stalled from None

    return waiting
