"""Make calls fail as ordered: instead of their route, after it, or in the middle of the answer."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.sendgrid_emulator.gate.recorder import CALL, ROUTE
from local.sendgrid_emulator.model.account import Service
from local.sendgrid_emulator.model.call_faults import Fault

RESET_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close with RST


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
