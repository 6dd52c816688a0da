"""Database connections that are used again, by one transaction at a time, from test to test.

To open one takes 10 to 65 ms of two processes, more than many a small run.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from contact_sync.postgres import arrow_reader
from contact_sync.postgres.idle import close_all as close_idle
from contact_sync.postgres.idle import used

_open_reader = arrow_reader.connect
_free: dict[tuple[int, str], list[Any]] = defaultdict(list)  # by process: forks share no socket
_free_of_state: dict[tuple[int, str, str], list[Any]] = defaultdict(list)
_opened = ExitStack()


@contextmanager
def connection(url: str, **options: Any) -> Iterator[psycopg.Connection]:
    """A psycopg connection for one transaction; in place of `with psycopg.connect(…)`."""
    options["prepare_threshold"] = None  # as with a new connection: nothing is prepared
    with _kept(f"{url} {sorted(options)}", lambda: psycopg.connect(url, **options)) as connected:
        yield connected
        connected.commit()


@contextmanager
def _reader(dsn: str, what: str, *, seconds: float) -> Iterator[Any]:
    with _kept(f"reader {dsn}", lambda: _open_reader(dsn, what, seconds=seconds)) as connected:
        yield connected
        connected.rollback(what)


def _used_again(_idle: Any, connect: Any, is_usable: Any) -> AbstractContextManager[Any]:
    """Of a state database: also by the next StateDatabase of the same URL."""
    free = _free_of_state[os.getpid(), connect.__name__, connect.__self__.dsn]
    return used(free, connect, is_usable)


@contextmanager
def _kept(key: str, connect: Callable[[], AbstractContextManager[Any]]) -> Iterator[Any]:
    """A free connection or a new one; after an error it is closed."""
    idle = _free[os.getpid(), key]
    connected = idle.pop() if idle else _opened.enter_context(connect())
    try:
        yield connected
    except BaseException:
        connected.close()
        raise
    idle.append(connected)


def close_all() -> None:
    """Close what is kept: the next transaction opens a new connection."""
    _free.clear()
    _opened.close()
    for idle in _free_of_state.values():
        close_idle(idle)


@contextmanager
def kept_connections() -> Iterator[None]:
    """Meanwhile, runs use kept connections."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(arrow_reader, "connect", _reader)
        monkeypatch.setattr("contact_sync.state.database.used", _used_again)
        yield
