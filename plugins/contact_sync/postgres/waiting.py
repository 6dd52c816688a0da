"""Wait for a driver's call for so long and no longer.

libpq waits for an answer for as long as the TCP connection lives, and a proxy keeps it alive while
the server behind it is silent. `statement_timeout` is the server's own, so it doesn't help then.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def begin(call: Callable[[], T]) -> Future[T]:
    """Make the call in a thread of its own, whose end nobody has to wait for: it is a daemon."""
    done: Future[T] = Future()
    Thread(target=_into, args=(done, call), daemon=True).start()
    return done


def _into(done: Future[T], call: Callable[[], T]) -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 raised again by whoever asks for the result
        done.set_exception(error)
    else:
        done.set_result(result)
