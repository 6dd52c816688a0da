"""Connections that are kept for their next use, by one user at a time; any number of threads.

No pool of a library does this for both drivers, and psycopg_pool's connects in the background and
tries again by itself: a wrong password would end as "no connection in time".
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

import psycopg


class Closing(Protocol):
    """What both drivers' connections have."""

    def close(self) -> None:
        """Close it; an open transaction is rolled back."""


C = TypeVar("C", bound=Closing)


class Kept(Generic[C]):
    """Connections of one kind to one database. While `keeping` lasts, one that isn't used any more
    stays open for the next user; else it is closed."""

    def __init__(self) -> None:
        self._idle: list[C] | None = None

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Meanwhile they are kept; at the end the idle ones are closed."""
        self._idle = []
        try:
            yield
        finally:
            idle, self._idle = self._idle, None
            close_all(idle)

    @contextmanager
    def used(self, connect: Callable[[], C], is_usable: Callable[[C], bool]) -> Iterator[C]:
        """An idle connection that `is_usable`, or a new one. After an error it is closed."""
        connection = self._taken(is_usable) or connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if self._idle is not None and is_usable(connection):
            self._idle.append(connection)
        else:
            connection.close()

    def _taken(self, is_usable: Callable[[C], bool]) -> C | None:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                return None
            if is_usable(connection):
                return connection
            connection.close()
        return None


def is_alive(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has said nothing since: what an idle connection says is its end."""
    if connection.closed:
        return False
    said, _, _ = select.select([connection.fileno()], [], [], 0)
    return not said


def close_all(idle: list[C]) -> None:
    """Close them."""
    while idle:
        idle.pop().close()
