"""Where alerts and metrics arrive in tests: an SMTP server, a webhook and a StatsD server."""

from __future__ import annotations

import email.message
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

HOST = "127.0.0.1"
T = TypeVar("T")


@dataclass
class Receivers:
    """What has arrived, in order; the ports are for Airflow's connections and settings."""

    smtp_port: int = 0
    http_port: int = 0
    statsd_port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)

    def mail(self, subject: str) -> EmailMessage:
        """The mail with this in its subject, once it has arrived."""
        return arrived(lambda: next((m for m in self.mails if subject in m["Subject"]), None))

    def post(self, event: str, run_id: str) -> dict[str, Any]:
        """The webhook call of this event and run, once it has arrived."""
        return arrived(
            lambda: next(
                (p for p in self.posts if (p["event"], p["run_id"]) == (event, run_id)), None
            )
        )


def text_of(mail: EmailMessage) -> str:
    """A mail's headers and its decoded parts."""
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *parts])


def arrived(look: Callable[[], T | None], seconds: float = 120.0) -> T:
    """What `look` gives as soon as it gives something."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, "nothing arrived"
        time.sleep(0.2)
    return found


@contextmanager
def receivers() -> Iterator[Receivers]:
    """All three, each on a port of its own."""
    got = Receivers()
    smtp = Controller(_Mailbox(got.mails), hostname=HOST, port=free_port())
    smtp.start()
    web = ThreadingHTTPServer((HOST, 0), _webhook(got.posts))
    threading.Thread(target=web.serve_forever, daemon=True).start()
    statsd = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    statsd.bind((HOST, 0))
    threading.Thread(target=_listen, args=(statsd, got.metrics), daemon=True).start()
    got.smtp_port, got.http_port = smtp.port, web.server_port
    got.statsd_port = statsd.getsockname()[1]
    try:
        yield got
    finally:
        smtp.stop()
        web.shutdown()
        web.server_close()
        statsd.close()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class _Mailbox(Message):
    def __init__(self, mails: list[EmailMessage]) -> None:
        super().__init__()
        self._mails = mails

    def prepare_message(self, session: Any, envelope: Any) -> EmailMessage:
        del session
        return message_from_bytes(envelope.content, policy=policy.default)

    def handle_message(self, message: email.message.Message) -> None:
        assert isinstance(message, EmailMessage)
        self._mails.append(message)


def _webhook(posts: list[dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.append(json.loads(body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep the test's output readable."""

    return Handler


def _listen(server: socket.socket, lines: list[str]) -> None:
    while True:
        try:
            lines += server.recv(65_535).decode().splitlines()
        except OSError:
            return
