"""A TCP proxy that resets connections after so many bytes from the server."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: close() sends RST


@dataclass
class BreakingProxy:
    """`resets` connections are reset once `after` bytes came from the server; later ones live."""

    server: tuple[str, int]
    after: int
    resets: int
    broken: int = 0
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    def url(self, direct: str) -> str:
        """The URL that goes through the proxy."""
        port = self.listener.getsockname()[1]
        return direct.replace(f":{urlsplit(direct).port}/", f":{port}/")

    def serve(self) -> None:
        """Accept until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.server)
                threading.Thread(target=forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self.back, args=(server, client), daemon=True).start()

    def back(self, server: socket.socket, client: socket.socket) -> None:
        """Pass the server's bytes on, and count them."""
        passed = 0
        with contextlib.suppress(OSError), server, client:
            while data := server.recv(4096):
                passed += len(data)
                if passed > self.after and self.broken < self.resets:
                    self.broken += 1
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                    return
                client.sendall(data)


def forward(client: socket.socket, server: socket.socket) -> None:
    """Pass the client's bytes on; its end is passed on too."""
    with contextlib.suppress(OSError):
        while data := client.recv(4096):
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def breaking_proxy(url: str, *, after: int, resets: int) -> Iterator[BreakingProxy]:
    """Run a proxy in front of the database of a libpq URL."""
    parts = urlsplit(url)
    proxy = BreakingProxy((str(parts.hostname), int(parts.port or 5432)), after, resets)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.listener.shutdown(socket.SHUT_RDWR)
        proxy.listener.close()
