"""Pages and files can't starve runs: how many come in, what is refused, who stalls."""

from __future__ import annotations

import csv
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import requests
import uvicorn

from contact_sync.base.errors import RetryableError
from contact_sync.state.for_people import rejected
from contact_sync.web import admission, client_files
from contact_sync.web.app import the_app
from local.postgres.process import free_port
from tests.dags.test_pages import client
from tests.support.world import World

pytestmark = pytest.mark.airflow

FILE = "/syncs/demo/rejected.csv"
OPEN = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
          AND application_name = 'contact_sync' AND starts_with(state, 'idle in')"""
MANY = """INSERT INTO contact_sync.ledger
    (SELECT (jsonb_populate_record(l, jsonb_build_object('client_id', n))).*
     FROM contact_sync.ledger AS l, generate_series(1000, 21000) AS n WHERE l.client_id = 1)"""


@pytest.fixture
def many(connected: World) -> Iterator[World]:
    """20,000 rejected clients with long reasons: more than sockets hold."""
    connected.add("bad")
    connected.run()
    connected.state(
        "UPDATE contact_sync.ledger SET reason = 'refused_by_sendgrid', detail = repeat('x', 900)"
    )
    connected.state(MANY)
    yield connected
    connected.state("DELETE FROM contact_sync.ledger WHERE client_id > 1")


@contextmanager
def served() -> Iterator[int]:
    """The pages on a port of their own, by the server that Airflow uses."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(the_app(), port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        thread.join(timeout=30)


def stalled(port: int) -> socket.socket:
    """A reader who asks for the file, takes its beginning and then nothing more."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.settimeout(30)
    reader.connect(("127.0.0.1", port))
    token = client("viewer").headers["Authorization"]
    asked = f"GET {FILE} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n"
    reader.sendall(asked.encode())
    assert reader.recv(12) == b"HTTP/1.1 200"
    return reader


def until_free(port: int) -> requests.Response:
    """The file, once somebody has made room."""
    headers = dict(client("viewer").headers)
    for _ in range(200):
        answer = requests.get(f"http://127.0.0.1:{port}{FILE}", headers=headers, timeout=60)
        if answer.status_code != 503:
            return answer
        assert answer.headers["Retry-After"] == "5"
        time.sleep(0.05)
    raise TimeoutError


def test_readers_who_stall_hold_no_transaction_and_lose_their_place(
    many: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third one waits with 503; pages answer meanwhile; whoever goes on reading gets all."""
    monkeypatch.setattr(admission, "STALL_SECONDS", 2.0)
    with served() as port, ExitStack() as readers:
        for _ in range(admission.DOWNLOADS):
            readers.enter_context(stalled(port))
        refused = client("viewer").get(FILE)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert "so many files" in refused.text.lower()
        assert client("viewer").get("/syncs/demo/rejected").status_code == 200
        assert many.state(OPEN) == [(0,)]
        answer = until_free(port)
    rows = list(csv.reader(io.StringIO(answer.text), strict=True))
    assert len(rows) == 20_003
    assert rows[-1][0] == "21000"


def test_pages_are_made_so_many_at_a_time(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more is told to come back; static files always come."""
    monkeypatch.setattr(admission, "PAGES", 0)
    refused = client("admin").get("/syncs")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert client("admin").get("/static/style.css").status_code == 200
    monkeypatch.undo()


def test_a_file_that_could_not_be_finished_says_so_in_its_last_row(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a database goes away in the middle; in as many cells as the header has."""
    connected.add("bad")
    connected.run()
    pieces = iter([[first_row(connected)]])

    def breaks(*_: object) -> Iterator[list[rejected.RejectedClient]]:
        yield from pieces
        raise RetryableError("The state database can't be reached")

    monkeypatch.setattr(rejected, "all_clients", breaks)
    answer = client("viewer").get(FILE)
    header, row, last = csv.reader(io.StringIO(answer.text), strict=True)
    assert row[0] == "1"
    assert last[:2] == [
        client_files.INCOMPLETE, "rows are missing: The state database can't be reached",
    ]  # fmt: skip
    assert len(header) == len(row) == len(last)


def first_row(world: World) -> rejected.RejectedClient:
    """The first rejected client."""
    with world.sync() as sync:
        return next(rejected.all_clients(sync.state, rejected.Filter(1)))[0]


NUL = [
    "/syncs/de%00mo", "/syncs?x=%00", f"{FILE}?field=%00", "/syncs/demo/clients?q=%00",
    "/syncs/demo/clients/%00", "/report?dag_id=%00&run_id=x", "/syncs/demo/dropped?after_field=%00",
]  # fmt: skip


def test_nul_is_refused_in_words_wherever_it_stands(connected: World) -> None:
    """Every page: 400, not what PostgreSQL says of it."""
    for path in NUL:
        answer = client("admin").get(path)
        assert (path, answer.status_code) == (path, 400)
        assert "holds NUL" in answer.text


FORM = "application/x-www-form-urlencoded"
PART = b'--b\r\nContent-Disposition: form-data; name="q"\r\n\r\n\0\r\n--b--'
DEEP = b"[" * 30_000 + b"]" * 30_000
BODIES = [
    (b"q=%00%40", FORM, 400),
    (b"q=\0", FORM, 400),
    (PART, "multipart/form-data; boundary=b", 400),
    (DEEP, "application/json", 400),
    (b"q=" + b"x" * admission.MAX_BODY, FORM, 413),
]


def test_a_body_that_is_no_form_of_ours_is_refused(connected: World) -> None:
    """With a status that says whose fault it is."""
    for body, kind, status in BODIES:
        headers = {"Content-Type": kind}
        answer = client("admin").post("/syncs/demo/clients", content=body, headers=headers)
        assert answer.status_code == status


def test_a_form_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """408, so that nobody waits for ever for the rest of it."""
    monkeypatch.setattr(admission, "STALL_SECONDS", 0.2)
    with served() as port, socket.create_connection(("127.0.0.1", port), timeout=30) as sender:
        sender.sendall(b"POST /syncs HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nq=")
        assert sender.recv(12) == b"HTTP/1.1 408"
