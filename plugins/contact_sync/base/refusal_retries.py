"""When a client that SendGrid rejected is sent again by itself. Pure.

A refusal may have been SendGrid's state and not the value. So whoever was rejected is
sent again: by the first run after `full_every_hours`, then each time after twice as long, at the
latest after a week; other refusals (a value that doesn't fit) wait for a change in B2CORE.
"""

from __future__ import annotations

from datetime import datetime, timedelta

MAX_RETRY_HOURS = 7 * 24
"""A client that SendGrid rejected is tried again at least so often, if full runs aren't rarer."""
MAX_RETRIED = 100
"""Rejected clients that one run sends again; they may have to be found by halving once more."""


def next_try(first: datetime, last: datetime, full_every_hours: float) -> datetime:
    """When it may be sent again: the first run from then on does, as far as MAX_RETRIED goes.
    `first` and `last`: when it was rejected first and last. As the statement `retry` has it."""
    least = timedelta(hours=full_every_hours)
    most = timedelta(hours=max(MAX_RETRY_HOURS, full_every_hours))
    return last + min(max(last - first, least), most)
