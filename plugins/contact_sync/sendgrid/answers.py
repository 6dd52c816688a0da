"""What SendGrid's answers mean: JSON values, errors by status, and when to try again."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from contact_sync.base.errors import FateUnknown, RequestRefused, RetryableError
from contact_sync.base.plain_reasons import ADDRESS, QUOTED, plain
from contact_sync.sendgrid.key_refusals import key_refused

EPOCH_SECONDS_FROM = 10_000_000  # `x-ratelimit-reset` below it is seconds left, else epoch seconds
LONGEST_PAUSE = 86_400.0
"""Seconds; windows of rate limits are a minute to an hour long, so more is a mistake, no hint."""


def parsed(raw: bytes | None) -> Any:
    """The JSON value, or None if it isn't any that can be read."""
    try:
        return json.loads(raw or b"")
    except (ValueError, RecursionError):  # RecursionError: a bomb of nested brackets
        return None


def check_answer(answer: requests.Response, body: Any, what: str) -> None:
    """Raise the error that fits the status; return for 2xx. `body` is the JSON value, if any."""
    status = answer.status_code
    if 200 <= status < 300:
        return
    errors = _errors(body)
    if status in (401, 403):
        words = f": {_about_the_account(errors)}" if errors else ""
        is_page = "html" in answer.headers.get("Content-Type", "").lower()
        said = f"{what}: SendGrid answered {status}{words}"
        raise key_refused(said, status, errors, is_page=is_page)
    said = f": {_messages(errors)}" if errors else ""
    if status == 429:
        raise RetryableError(
            f"{what}: rate limit reached (429). It passes by itself; if it lasts, something else "
            f"calls the same account", retry_after=_retry_after(answer),
        )  # fmt: skip
    if status >= 500 or status == 408:
        raise FateUnknown(
            f"{what}: SendGrid answered {status}. It passes by itself; if it lasts, look at "
            f"SendGrid's status page"
        )
    raise RequestRefused(
        f"{what}: SendGrid answered {status}{said}",
        status=status,
        errors=errors,
        is_json=isinstance(body, dict),
    )


def no_answer(what: str, *, is_late: bool) -> str:
    """What a call is told by that no whole answer came to, in time if `is_late`; only of what may
    write is its effect in doubt."""
    said = "no answer came in time" if is_late else "the connection was lost before an answer came"
    effect = "" if what.startswith("GET ") else ", so what SendGrid did isn't known"
    return (
        f"{what}: {said}{effect}. It passes by itself; if it lasts, look at the network in between "
        f"and at SendGrid's status page"
    )


def _errors(body: Any) -> list[dict[str, object]]:
    """SendGrid's error objects. Some answers have texts in their place, others only a `message`."""
    if not isinstance(body, dict):
        return []
    errors = body.get("errors") or body.get("error") or body.get("message")
    found = errors if isinstance(errors, list) else [errors]
    objects: list[Any] = [{"message": e} if isinstance(e, str) else e for e in found]
    return [e for e in objects if isinstance(e, dict)]


def _messages(errors: list[dict[str, object]]) -> str:
    """SendGrid's own plain words: they get into logs and alerts."""
    return "; ".join(map(plain, _texts(errors)))


def _about_the_account(errors: list[dict[str, object]]) -> str:
    """SendGrid's words about a key or an account, in one line, without quotes and addresses."""
    unquoted = [QUOTED.sub("'…'", " ".join(text.split())) for text in _texts(errors)]
    return "; ".join(ADDRESS.sub("…", text) for text in unquoted)[:300]


def _texts(errors: list[dict[str, object]]) -> list[str]:
    return [text for error in errors[:3] if (text := str(error.get("message") or ""))]


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds until the next try, by the first of two headers that holds a sensible time."""
    for header in ("Retry-After", "X-RateLimit-Reset"):
        said = answer.headers.get(header, "").strip()
        seconds = _seconds(said, _moment_of(answer), is_date=header == "Retry-After")
        if seconds is not None and seconds <= LONGEST_PAUSE:
            return max(0.0, seconds)
    return None


def _moment_of(answer: requests.Response) -> float:
    """When the answer was given, in epoch seconds by SendGrid's clock; ours may be another one."""
    found = _epoch_seconds(answer.headers.get("Date", ""))
    return time.time() if found is None else found


def _seconds(value: str, now: float, *, is_date: bool) -> float | None:
    if value.isascii() and value.isdigit():
        seconds = float(value)
        return seconds - now if seconds >= EPOCH_SECONDS_FROM else seconds
    moment = _epoch_seconds(value) if is_date else None
    return None if moment is None else moment - now


def _epoch_seconds(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):  # OverflowError: a time that no clock shows
        return None
