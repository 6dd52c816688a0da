"""Run both origins in one event loop, with the worker of the jobs beside them.

An error inside the emulator ends the process with its traceback: a stand-in that limps on would
make tests pass or fail for the wrong reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import orjson
import uvicorn
import uvloop
from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from local.sendgrid_emulator.admin import page as admin_page
from local.sendgrid_emulator.admin import routes as admin
from local.sendgrid_emulator.admin import sent as admin_sent
from local.sendgrid_emulator.admin import suppressions as admin_suppressions
from local.sendgrid_emulator.gate.faults import Faults
from local.sendgrid_emulator.gate.guard import Guard
from local.sendgrid_emulator.gate.limits import Limits
from local.sendgrid_emulator.gate.recorder import Recorder, RouteTable
from local.sendgrid_emulator.model.account import Account, Service
from local.sendgrid_emulator.model.kept import keep, restore
from local.sendgrid_emulator.model.refusal import Refusal, refuse
from local.sendgrid_emulator.routes import (
    contacts,
    exports,
    fields,
    key_and_account,
    lists,
    search,
    suppressions,
    undelivered,
)
from local.sendgrid_emulator.routes.uploads import upload_app

GRACE_SECONDS = 2
ORPHAN_SECONDS = 5
MANY_FILES = 4096
SWITCH_SECONDS = 0.001  # how long a thread that parses rows may keep the event loop waiting
MANY_OBJECTS = 100_000  # new objects between two looks of the garbage collector
INTERNAL_ERROR = 70


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol that also hands out the connection, for faults to reset."""

    def on_message_begin(self) -> None:
        """Put the transport into the scope of each request."""
        super().on_message_begin()
        self.scope["extensions"] = {"transport": self.transport}  # type: ignore[dict-item]


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to us: two of them share the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


class Emulator:
    """The running emulator: two servers and the worker of the current account."""

    def __init__(self, service: Service) -> None:
        """Prepare the applications."""
        self.service = service
        self.failed = False
        self._worker: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self.api = api_app(self)
        self.uploads = upload_app(service)

    async def restart(self) -> None:
        """Replace the account and its worker."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait([self._worker])
        self.service.account = Account(self.service.start_settings)
        self._worker = asyncio.create_task(self.service.account.queue.run())
        self._worker.add_done_callback(self._worker_ended)

    def _worker_ended(self, worker: asyncio.Task[None]) -> None:
        if not worker.cancelled() and worker.exception() is not None:
            loop = asyncio.get_running_loop()
            loop.call_exception_handler(
                {"message": "A job hit an error of the emulator", "exception": worker.exception()}
            )
            self.failed = True
            self.stop()

    def stop(self) -> None:
        """Let the emulator end."""
        self._stopping.set()

    async def serve(self, api: socket.socket, uploads: socket.socket, ready: Path | None) -> None:
        """Serve until told to stop; what is to be kept is read before, and written after that."""
        await self.restart()
        if self.service.kept is not None:
            restore(self.service.account, self.service.kept)
        servers = [server_of(self.api), server_of(self.uploads)]
        sockets = [api, uploads]
        running = [
            asyncio.create_task(server.serve(sockets=[listener]))
            for server, listener in zip(servers, sockets, strict=True)
        ]
        while not all(server.started for server in servers):
            await asyncio.sleep(0.005)
        announce(api, self.service.upload_url, ready)
        await self._stopping.wait()
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*running)
        if self._worker is not None:
            self._worker.cancel()
        if self.service.kept is not None:
            keep(self.service.account, self.service.kept)


def server_of(app: ASGIApp) -> Server:
    """Return the server of an application."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return Server(config)


def api_app(emulator: Emulator) -> Recorder:
    """Return the application of the API origin."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.service = service = emulator.service
    app.state.restart = emulator.restart
    app.add_exception_handler(Refusal, refuse)
    modules = (
        *(contacts, exports, search),
        *(lists, fields, key_and_account, suppressions, undelivered),
    )
    routers = [module.router for module in modules]
    administrator = (admin.router, admin_page.router, admin_sent.router, admin_suppressions.router)
    for router in (*routers, *administrator):
        app.include_router(router)
    routes = [route for router in routers for route in router.routes]
    gate = Limits(Faults(Guard(app, service), service), service)
    return Recorder(gate, service, "api", RouteTable.of(routes))


def announce(api: socket.socket, upload_url: str, ready: Path | None) -> None:
    """Say where the emulator serves: in the ready file, complete or not at all, or on stdout."""
    host, port = api.getsockname()[:2]
    text = orjson.dumps({"base_url": f"http://{host}:{port}", "upload_url": upload_url})
    if ready is None:
        print(text.decode(), flush=True)
        return
    part = ready.with_name(f"{ready.name}.{os.getpid()}")
    part.write_bytes(text)
    part.replace(ready)


def run(
    service: Service,
    api: socket.socket,
    uploads: socket.socket,
    *,
    ready: Path | None,
    end_with_stdin: bool,
) -> int:
    """Serve until SIGTERM, SIGINT or, if wanted, the end of stdin; return the exit code."""
    sys.setswitchinterval(SWITCH_SECONDS)
    allow_many_files()
    gc.freeze()
    gc.set_threshold(MANY_OBJECTS, 20, 100)

    async def serve() -> int:
        emulator = Emulator(service)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, emulator.stop)
        if end_with_stdin:
            watcher = threading.Thread(
                target=await_end_of_stdin, args=(loop, emulator), daemon=True
            )
            watcher.start()
        await emulator.serve(api, uploads, ready)
        return INTERNAL_ERROR if emulator.failed else 0

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve())


def await_end_of_stdin(loop: asyncio.AbstractEventLoop, emulator: Emulator) -> None:
    """Stop when the parent closes our stdin or dies; never outlive it for long."""
    while os.read(0, 1024):
        continue
    with contextlib.suppress(RuntimeError):  # the loop has ended already
        loop.call_soon_threadsafe(emulator.stop)
    time.sleep(ORPHAN_SECONDS)
    os._exit(INTERNAL_ERROR)


def allow_many_files() -> None:
    """Raise the limit of open files: uploads and error files are open ones."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(MANY_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
