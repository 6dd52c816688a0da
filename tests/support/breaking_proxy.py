"""A TCP proxy that breaks connections after so many bytes from the server, or is slow.

A process of its own: the driver holds Python's global lock while it connects.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: close() sends RST


@dataclass
class BreakingProxy:
    """A running proxy: `url` goes through it. Once it has ended: how many connections were opened,
    and how many of them `broken`."""

    url: str
    opened: int = 0
    broken: int = 0


@contextlib.contextmanager
def breaking_proxy(
    url: str, *, after: int = 0, resets: int = 0, silences: int = 0, delay: float = 0.0
) -> Iterator[BreakingProxy]:
    """Before the server of a libpq URL.

    After so many bytes of an answer `resets` connections are reset, or `silences` stay open and
    give nothing more. Every answer comes `delay` seconds late.
    """
    port = urlsplit(url).port
    numbers = (port, after, resets, silences, delay)
    command = [sys.executable, __file__, *map(str, numbers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        proxy = BreakingProxy(url.replace(f":{port}/", f":{process.stdout.readline().strip()}/"))
        try:
            yield proxy
        finally:
            process.terminate()
            said = process.stdout.read().split()
            proxy.opened, proxy.broken = said.count("opened"), said.count("broken")


@dataclass
class Plan:
    """What the proxy does, and how often it still may."""

    after: int
    resets: int
    silences: int
    delay: float


def serve(port: int, plan: Plan) -> None:
    """Say the port, then accept until the process is ended; say every connection and break."""
    listener = socket.create_server(("127.0.0.1", 0))
    say(listener.getsockname()[1])
    while True:
        client, _ = listener.accept()
        say("opened")
        server = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=forward, args=(client, server), daemon=True).start()
        threading.Thread(target=back, args=(server, client, plan), daemon=True).start()


def say(what: object) -> None:
    """One line to whoever started the proxy."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def forward(client: socket.socket, server: socket.socket) -> None:
    """Pass the client's bytes on; its end is passed on too."""
    with contextlib.suppress(OSError):
        while data := client.recv(4096):
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)


def back(server: socket.socket, client: socket.socket, plan: Plan) -> None:
    """Pass the server's bytes on, and count them."""
    passed = 0
    with contextlib.suppress(OSError), server, client:
        while data := server.recv(4096):
            passed += len(data)
            time.sleep(plan.delay)
            if passed > plan.after and plan.silences:
                plan.silences -= 1
                say("broken")
                threading.Event().wait()
            if passed > plan.after and plan.resets:
                plan.resets -= 1
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                client.shutdown(socket.SHUT_RD)
                say("broken")
                return
            client.sendall(data)


if __name__ == "__main__":
    number, after, resets, silences = map(int, sys.argv[1:5])
    serve(number, Plan(after, resets, silences, float(sys.argv[5])))
