"""What the fault matrix needs beside the emulator's own faults: a clock, and a relay."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

import pytest

from local.sendgrid_emulator.admin.client import Admin

Trick = Literal["keep the answer", "answer twice", "request twice", "hide the limits"]
PAUSE = 0.002  # a poll without any pause would only load the machine


@dataclass
class Clock:
    """Time that passes at once, here and at SendGrid; stands in for the module `time`."""

    admin: Admin
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.admin.advance(float(seconds))
        time.sleep(PAUSE)

    def monotonic(self) -> float:
        """As in the module `time`."""
        return time.monotonic() + sum(self.slept)

    def time(self) -> float:
        """As in the module `time`."""
        return time.time() + sum(self.slept)

    def start_minute(self) -> None:
        """Go to the beginning of a minute at SendGrid: its rate limits are counted by minutes."""
        self.sleep(60 - self.admin.now() % 60)

    def rule(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have every wait of a run pass at once."""
        for module in ("tenacity", "tenacity.nap", "contact_sync.run.in_one_process"):
            monkeypatch.setattr(f"{module}.time", self)
        monkeypatch.setattr("contact_sync.sendgrid.answers.time", self)


class Relay(ThreadingHTTPServer):
    """A proxy before the emulator that plays a trick on the first call of one route."""

    daemon_threads = True

    def __init__(self, target: str, trick: Trick, method: str, route: str) -> None:
        """`route` is a path template such as `/v3/marketing/contacts/imports/{job_id}`."""
        super().__init__(("127.0.0.1", 0), _Passing)
        self.target = urlsplit(target).netloc
        self.trick = trick
        self._method = method
        self._path = re.compile(re.sub(r"\{\w+\}", "[^/]+", route))
        self._waits = True

    @property
    def url(self) -> str:
        """The address of the relay."""
        return f"http://127.0.0.1:{self.server_port}"

    def is_meant(self, method: str, path: str) -> bool:
        """Whether this is the call to play the trick on."""
        meant = method == self._method and self._path.fullmatch(path.partition("?")[0])
        hit, self._waits = bool(self._waits and meant), self._waits and not meant
        return hit


class _Passing(BaseHTTPRequestHandler):
    server: Relay
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Pass the request on and the answer back."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        trick = self.server.trick if self.server.is_meant(self.command, self.path) else None
        for _ in range(2 if trick == "request twice" else 1):
            answer = self.fetched(body)
        if trick == "keep the answer":
            self.rfile.read(1)  # until the caller has hung up
            self.close_connection = True
            return
        self.wfile.write(answer * (2 if trick == "answer twice" else 1))

    def fetched(self, body: bytes) -> bytes:
        """The emulator's answer as bytes, its limits hidden if that is the trick."""
        connection = http.client.HTTPConnection(self.server.target, timeout=30)
        connection.request(self.command, self.path, body or None, dict(self.headers))
        got = connection.getresponse()
        content = got.read()
        connection.close()
        hidden = "x-ratelimit" if self.server.trick == "hide the limits" else "transfer-encoding"
        lines = [f"{k}: {v}" for k, v in got.getheaders() if not k.lower().startswith(hidden)]
        head = "\r\n".join([f"HTTP/1.1 {got.status} {got.reason}", *lines, "", ""])
        return head.encode("latin-1") + content

    do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 the names http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def relay(target: str, trick: Trick, method: str, route: str) -> Iterator[Relay]:
    """A running relay."""
    with Relay(target, trick, method, route) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()
