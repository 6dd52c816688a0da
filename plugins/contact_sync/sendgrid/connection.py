"""The connection below `requests`: it ends at a deadline and leads where it was allowed to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from contact_sync.base.errors import ConfigError
from contact_sync.sendgrid.allowed_hosts import addresses_of, check_public


class Line(HTTPAdapter):
    """The connections of one session, for one request at a time.

    `requests` limits single reads only: an answer of one byte a second would never end. So a
    timer cuts the newest connection in its middle, whether it shakes hands, sends or reads.
    With `public_only`, https connections lead to public addresses only.
    """

    def __init__(self, *, public_only: bool = False) -> None:
        self.public_only = public_only
        self._wire: socket.socket | None = None
        self._late = False
        super().__init__()

    @property
    def was_late(self) -> bool:
        """Whether the newest block took longer than it may, and was cut."""
        return self._late

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Cut the connection when the block takes longer; raises TimeoutError or what that cuts."""
        self._late = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
        if self._late:  # an answer without a length ends where it is cut, and looks whole
            raise TimeoutError

    def _cut(self) -> None:
        self._late = True
        if self._wire is not None:
            try:
                self._wire.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is over already

    def watch(self, connected: socket.socket) -> socket.socket:
        """Remember a new connection; TLS will wrap it, a copy of its handle stays as it is."""
        if self._wire is not None:
            self._wire.close()
        self._wire = connected.dup()
        if self._late:
            self._cut()
        return connected

    def close(self) -> None:
        """Close all connections."""
        super().close()
        if self._wire is not None:
            self._wire.close()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Build the connections of this class; called by `requests`."""
        super().init_poolmanager(*args, ssl_minimum_version=ssl.TLSVersion.TLSv1_2, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_PlainPool, line=self),
            "https": partial(_SecurePool, line=self),
        }


class _Plain(HTTPConnection):
    def __init__(self, *args: Any, line: Line, **options: Any) -> None:
        super().__init__(*args, **options)
        self._line = line

    def _new_conn(self) -> socket.socket:
        return self._line.watch(super()._new_conn())


class _Secure(HTTPSConnection):
    def __init__(self, *args: Any, line: Line, **options: Any) -> None:
        super().__init__(*args, **options)
        self._line = line

    def _new_conn(self) -> socket.socket:
        if not self._line.public_only:
            return self._line.watch(super()._new_conn())
        check_public(self.host, addresses_of(self.host))
        connected = super()._new_conn()
        try:  # the name may lead elsewhere by now; nothing has been sent yet
            check_public(self.host, [connected.getpeername()[0]])
        except ConfigError:
            connected.close()
            raise
        return self._line.watch(connected)


class _PlainPool(HTTPConnectionPool):
    """Passes the keyword `line` on to its connections."""

    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    """Passes the keyword `line` on to its connections."""

    ConnectionCls = _Secure
