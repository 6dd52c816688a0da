"""A TCP proxy that resets connections after so many bytes from the server.

A process of its own: the driver holds Python's global lock while it connects.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: close() sends RST


@dataclass
class BreakingProxy:
    """A running proxy: `url` goes through it; `broken` is known once it has ended."""

    url: str
    broken: int = 0


@contextlib.contextmanager
def breaking_proxy(url: str, *, after: int, resets: int) -> Iterator[BreakingProxy]:
    """Before the server of a libpq URL: `resets` connections break after so many bytes."""
    port = urlsplit(url).port
    command = [sys.executable, __file__, str(port), str(after), str(resets)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        proxy = BreakingProxy(url.replace(f":{port}/", f":{process.stdout.readline().strip()}/"))
        try:
            yield proxy
        finally:
            process.terminate()
            proxy.broken = len(process.stdout.readlines())


def serve(port: int, after: int, resets: int) -> None:
    """Say the port, then accept until the process is ended; say every reset."""
    listener = socket.create_server(("127.0.0.1", 0))
    say(listener.getsockname()[1])
    left = list(range(resets))
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=forward, args=(client, server), daemon=True).start()
        threading.Thread(target=back, args=(server, client, after, left), daemon=True).start()


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


def back(server: socket.socket, client: socket.socket, after: int, left: list[int]) -> None:
    """Pass the server's bytes on, and count them."""
    passed = 0
    with contextlib.suppress(OSError), server, client:
        while data := server.recv(4096):
            passed += len(data)
            if passed > after and left:
                left.pop()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                client.shutdown(socket.SHUT_RD)
                say("reset")
                return
            client.sendall(data)


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
