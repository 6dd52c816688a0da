"""A real HTTP server on a socket that answers as a test tells it, and the API that talks to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest
from hypothesis import settings

from contact_sync.sendgrid.api import SendGridApi
from tests.support.scripted_server import KEY, Handler, Script

settings.register_profile("quick", deadline=None, max_examples=40)  # a busy machine is no defect
settings.load_profile("quick")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A running server; pauses between tries take no time."""
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)
    script = Script()
    handler = type("Scripted", (Handler,), {"script": script})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        script.port = running.server_port
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield script
        running.shutdown()


@pytest.fixture
def api(server: Script) -> Iterator[SendGridApi]:
    """The API of that server."""
    opened = SendGridApi(server.url, KEY)
    yield opened
    opened.close()
