"""What SendGrid's answers mean: JSON values, errors by status, and when to try again."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from contact_sync.base.errors import AuthError, FateUnknown, RequestRefused, RetryableError
from contact_sync.base.plain_reasons import plain

EPOCH_SECONDS_FROM = 10_000_000  # `x-ratelimit-reset` below it is seconds left, else epoch seconds


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
    said = f": {_messages(errors)}" if errors else ""
    if status in (401, 403):
        hint = (
            "the API key is wrong, revoked or from another region"
            if status == 401
            else "the API key lacks permission; it needs Marketing: Full Access"
        )
        raise AuthError(f"{what}: SendGrid answered {status}{said}; {hint}")
    if status == 429:
        raise RetryableError(f"{what}: rate limit reached", retry_after=_retry_after(answer))
    if status >= 500 or status == 408:
        raise FateUnknown(f"{what}: SendGrid answered {status}")
    raise RequestRefused(
        f"{what}: SendGrid answered {status}{said}",
        status=status,
        errors=errors,
        is_json=isinstance(body, dict),
    )


def _errors(body: Any) -> list[dict[str, object]]:
    errors = body.get("errors") if isinstance(body, dict) else None
    errors = [errors] if isinstance(errors, dict) else errors
    return [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []


def _messages(errors: list[dict[str, object]]) -> str:
    """SendGrid's own plain words: they get into logs and alerts."""
    return "; ".join(plain(str(error.get("message") or "")) for error in errors[:3])


def _retry_after(answer: requests.Response) -> float | None:
    for header in ("Retry-After", "X-RateLimit-Reset"):
        value = answer.headers.get(header)
        if value and value.isascii() and value.isdigit():
            seconds = float(value)
            if seconds >= EPOCH_SECONDS_FROM:
                seconds -= time.time()
            return max(0.0, seconds)
        if value and header == "Retry-After":
            try:
                return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
            except ValueError:
                continue
    return None
