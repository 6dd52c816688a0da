"""Seconds in which something is at work, and work beside a measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Lock

Clock = Callable[[], float]


class Busy:
    """How long, by each of some clocks, at least one of several threads was at a step.

    Batches are sent by four threads and slices staged by two: the sum of what each of them takes
    would be a step's seconds as often as there are batches for the threads.
    """

    def __init__(self, *clocks: Clock) -> None:
        self._clocks = clocks
        self._lock = Lock()
        self._at_work = 0
        self._since = [0.0] * len(clocks)
        self.seconds = [0.0] * len(clocks)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Meanwhile one more thread is."""
        with self._lock:
            if not self._at_work:
                self._since = [clock() for clock in self._clocks]
            self._at_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_work -= 1
                if not self._at_work:
                    for place, clock in enumerate(self._clocks):
                        self.seconds[place] += clock() - self._since[place]


@contextmanager
def beside(work: Callable[[Event], None]) -> Iterator[Future[None]]:
    """Meanwhile a thread does the work, which ends once the event is set, if not before; what it
    raises is raised at the end."""
    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work, stop)
        try:
            yield done
        finally:
            stop.set()
    done.result()
