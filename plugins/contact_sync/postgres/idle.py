"""Connections that are kept for their next use, by one user at a time; any number of threads.

No pool of a library does this for both drivers, and psycopg_pool's connects in the background and
tries again by itself: a wrong password would end as "no connection in time".
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import psycopg


class Closing(Protocol):
    """What both drivers' connections have."""

    def close(self) -> None:
        """Close it; an open transaction is rolled back."""


C = TypeVar("C", bound=Closing)


@contextmanager
def used(
    idle: list[C] | None, connect: Callable[[], C], is_usable: Callable[[C], bool]
) -> Iterator[C]:
    """One of the idle connections or a new one; afterwards it is idle again.

    After an error, or when none are kept (`idle` is None), it is closed.
    """
    connection = _taken(idle, is_usable) or connect()
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
    if idle is None:
        connection.close()
    else:
        idle.append(connection)


def _taken(idle: list[C] | None, is_usable: Callable[[C], bool]) -> C | None:
    while idle:
        try:
            connection = idle.pop()
        except IndexError:  # another thread was faster
            return None
        if is_usable(connection):
            return connection
        connection.close()
    return None


def is_alive(connection: psycopg.Connection) -> bool:
    """Whether the server has said nothing since: what an idle connection says is its end."""
    if connection.closed:
        return False
    said, _, _ = select.select([connection.fileno()], [], [], 0)
    return not said


def close_all(idle: list[C]) -> None:
    """Close them."""
    while idle:
        idle.pop().close()
