"""One call that waits for its limits, and of which no chance answer is believed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contact_sync.base.errors import AuthError, FateUnknown, RetryableError
from contact_sync.sendgrid.raw_calls import Exchange, RawCalls

MAX_TRIES = 5
BETWEEN_SECONDS = 2.0
LONGEST_PAUSE = 120


@dataclass(frozen=True, slots=True)
class Clock:
    """The time in epoch seconds, and how to let some pass."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


def patiently(calls: RawCalls, clock: Clock, method: str, path: str, body: Any = None) -> Exchange:
    """A call and its answer. A full minute is waited for, and what may be repeated is tried again
    when there is no answer, a 408 or a 5xx: those say nothing of what was asked.

    Raises RetryableError, FateUnknown or AuthError."""
    what = f"{method} {path.partition('?')[0]}"
    again = method in ("GET", "DELETE") or path.endswith("/search/emails")
    for number in range(1, MAX_TRIES + 1):
        try:
            found = calls.exchange(method, path, body)
        except RetryableError as error:
            no_effect = again or not isinstance(error, FateUnknown)
            if not no_effect or number == MAX_TRIES:
                raise
            clock.sleep(BETWEEN_SECONDS)
            continue
        if found.status in (401, 403):
            raise AuthError(
                f"{what}: SendGrid answered {found.status}: the key needs Marketing: Full Access"
            )
        by_chance = found.status == 408 or found.status >= 500
        if found.status != 429 and not by_chance:
            return found
        if by_chance and not again:
            raise FateUnknown(f"{what}: answered by {found.status}; it may have had an effect")
        if number < MAX_TRIES:
            clock.sleep(_pause(found, clock.now()))
    raise RetryableError(f"{what}: SendGrid refused it {MAX_TRIES} times")


def _pause(found: Exchange, now: float) -> float:
    reset = found.number("x-ratelimit-reset")
    if found.status != 429 or reset is None:
        return BETWEEN_SECONDS
    left = reset if reset < 10_000_000 else reset - now
    return min(max(left, 0) + 1.0, LONGEST_PAUSE)
