"""Refuses a trigger form whose values don't go together, while the person still sees the form.

Airflow's form and its API check each parameter alone, so this stands before the API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from contact_sync.airflow_edge.trigger_form import refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
MAX_BODY = 1 << 20
"""Bytes; a form has some hundred. What is longer is Airflow's to judge."""


class TriggerCheck:
    """Answers the start of a sync's run with 400 when its values don't go together.

    Everything else passes through unread; so does a request without a login, for its 401.
    """

    STARTS = re.compile(r"(/.*)?/api/v2/dags/contact_sync_[a-z0-9_]+(?<!_verify)/dagRuns")

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if not self._concerns(scope):
            await self.app(scope, receive, send)
            return
        messages, body = [await receive()], b""
        while messages[-1].get("more_body") and len(body) < MAX_BODY:
            body += messages[-1].get("body", b"")
            messages.append(await receive())
        problem = _problem(body + messages[-1].get("body", b""))
        if problem is None:
            await self.app(scope, _replay(messages, receive), send)
            return
        answer = json.dumps({"detail": problem}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
        ]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _concerns(self, scope: Message) -> bool:
        if scope["type"] != "http" or scope["method"] != "POST":
            return False
        names = {name for name, _ in scope["headers"]}
        return bool(self.STARTS.fullmatch(scope["path"]) and names & {b"authorization", b"cookie"})


def _problem(body: bytes) -> str | None:
    try:
        asked = json.loads(body)
        if _has_nul(asked):
            return "A value holds NUL, which can't be stored: leave it out"
        return refusal(asked.get("conf") or {})
    except RecursionError:
        return "The values are nested too deeply: a run's are plain ones"
    except (ValueError, AttributeError, TypeError):
        return None  # Airflow says better what is wrong with a body like that


def _has_nul(asked: Any) -> bool:
    waiting = [asked]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and "\0" in value:
            return True
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
    return False


def _replay(messages: list[Message], receive: Receive) -> Receive:
    """A `receive` that gives what was read already, then what comes."""
    waiting = iter(messages)

    async def again() -> Message:
        for message in waiting:
            return message
        return await receive()

    return again


class TriggerCheckPlugin(AirflowPlugin):
    """Found through the entry point `airflow.plugins` of `plugins/contact_sync-*.dist-info`."""

    name = "contact_sync_trigger_check"
    fastapi_root_middlewares = [  # noqa: RUF012 the base class's way
        {"name": "Contact sync: values that don't go together", "middleware": TriggerCheck}
    ]
