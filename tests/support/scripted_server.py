"""An HTTP server that answers by a script and remembers what it was asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

KEY = "SG.secret-key-of-the-tests"
ADDRESS = "ann@example.com"


@dataclass
class Script:
    """What the server answers, one entry a call (the last one for ever), and what it got."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    calls: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    def say(self, status: int, body: Any = b"", **headers: str) -> None:
        """Queue an answer; status 0 closes the connection without one.

        A `Content_Length` of its own makes it break off in the middle of the body.
        """
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, {k.replace("_", "-"): v for k, v in headers.items()}, raw))


class Handler(BaseHTTPRequestHandler):
    """Answers by the script."""

    script: Script

    def answer(self) -> None:
        """Record the call and give the next answer."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.script.calls.append((self.command, self.path, dict(self.headers), body))
        answers = self.script.answers
        status, headers, raw = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:
            self.connection.close()
            return
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(raw))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 the names http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
        """Say nothing."""
