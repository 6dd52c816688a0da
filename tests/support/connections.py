"""Database connections that are used again, by one transaction at a time, from test to test.

To open one takes 10 to 65 ms of two processes, more than many a small run.
"""

from __future__ import annotations

import atexit
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any

import psycopg
import pytest

from contact_sync.postgres.idle import Kept
from contact_sync.postgres.idle import close_all as close_idle

_really_used = Kept.used
COUNT_AT_ONCE = "SELECT pg_stat_force_next_flush()"


def _keeping() -> Kept[Any]:
    kept: Kept[Any] = Kept()
    kept._idle = []
    return kept


_free: dict[tuple[int, str], list[Any]] = defaultdict(list)  # by process: forks share no socket
_kept_for_good: dict[tuple[int, Any], Kept[Any]] = defaultdict(_keeping)
_opened = ExitStack()


@contextmanager
def connection(url: str, **options: Any) -> Iterator[psycopg.Connection]:
    """A psycopg connection for one transaction; in place of `with psycopg.connect(…)`. As one that
    is closed afterwards, it hands in what it has written to PostgreSQL's statistics."""
    options["prepare_threshold"] = None  # as with a new connection: nothing is prepared
    with _kept(f"{url} {sorted(options)}", lambda: psycopg.connect(url, **options)) as connected:
        yield connected
        connected.execute(COUNT_AT_ONCE)
        connected.commit()


@contextmanager
def _used_again(_kept_there: Any, connect: Any, is_usable: Any) -> Iterator[Any]:
    """In place of `Kept.used`: also by the next handle on the same database."""
    target = (
        (connect.func, connect.args)
        if isinstance(connect, partial)
        else (connect.__name__, connect.__self__.dsn)
    )
    again = _kept_for_good[os.getpid(), target]
    with _really_used(again, connect, is_usable) as connection:
        yield connection


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
    while _kept_for_good:
        close_idle(_kept_for_good.popitem()[1]._idle or [])


atexit.register(close_all)


@contextmanager
def kept_connections() -> Iterator[None]:
    """Meanwhile, runs use kept connections."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Kept, "used", _used_again)
        yield
