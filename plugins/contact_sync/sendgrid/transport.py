"""HTTP as SendGrid needs it: time-outs, rate limits, no redirects, typed errors, no secrets.

Exceptions name method, route and status, never a URL's query, a header or a body: signed URLs and
addresses would be in them.
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3

from contact_sync.errors import (
    AuthError,
    ConfigError,
    FateUnknown,
    RequestRefused,
    RetryableError,
    SyncError,
)

CONNECT_SECONDS = 10
READ_SECONDS = 60
UPLOAD_SECONDS = 600
RETRY_BUDGET_SECONDS = 150  # two full rate-limit windows of a minute
MAX_TRIES = 6
EPOCH_SECONDS_FROM = 10_000_000  # `x-ratelimit-reset` below it is seconds left, else epoch seconds
_QUOTED = re.compile(r"(['\"`]).*\1", re.DOTALL)
_ADDRESS = re.compile(r"\S*@\S*")
_LIBRARY_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_url(url: str, what: str, *, loopback: bool) -> None:
    """Refuse URLs that would send data anywhere unprotected; loopback may use plain HTTP."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname and not parts.username:
        return
    if loopback and parts.scheme == "http" and parts.hostname in LOOPBACK:
        return
    raise ConfigError(f"{what} must be an https URL without a login; it is {parts.scheme or '?'}")


class Transport:
    """Sends requests to one API host with the key, and to storage hosts without it."""

    def __init__(self, base_url: str, api_key: str) -> None:
        host = urlsplit(base_url).hostname
        self._loopback = host in LOOPBACK
        check_url(base_url, "SendGrid's API URL", loopback=self._loopback)
        if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ConfigError(
                "SendGrid's API key holds white space or a character that no key has: copy it anew"
            )
        self._base_url = base_url.rstrip("/")
        self._api = _session()
        self._api.headers["Authorization"] = f"Bearer {api_key}"
        self._storage = _session()

    def call(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        route: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Call the API and return its JSON object ({} for an empty answer).

        `repeatable`: the call may be sent again when its fate is unknown; otherwise only answers
        that prove it had no effect (429, connection refused) are retried. `route` is the path for
        messages. Raises AuthError, RequestRefused, RetryableError or FateUnknown.
        """
        what = f"{method} {route or path}"

        def once() -> dict[str, Any]:
            try:
                return self._once(method, path, what, options)
            except FateUnknown as error:
                if repeatable:
                    raise RetryableError(str(error)) from None
                raise

        return _retrying()(once)

    def _once(self, method: str, path: str, what: str, options: dict[str, Any]) -> dict[str, Any]:
        with _sent(what):
            answer = self._api.request(
                method,
                self._base_url + path,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                **options,
            )
        check_answer(answer, what)
        if not answer.content:
            return {}
        try:
            body = answer.json()
        except ValueError:
            raise FateUnknown(
                f"{what}: SendGrid answered {answer.status_code} with a body that isn't JSON"
            ) from None
        return body if isinstance(body, dict) else {"result": body}

    def put_file(self, url: str, headers: dict[str, str], file: Any, size: int) -> None:
        """Upload a file to a signed URL, once, with exactly the given headers and no key.

        Raises RequestRefused for a definite refusal (nothing was stored), FateUnknown else.
        """
        what = "PUT upload_uri"
        check_url(url, "upload_uri", loopback=self._loopback)
        with _sent(what):
            answer = self._storage.put(
                url,
                data=file,
                headers={**headers, "Content-Length": str(size)},
                timeout=(CONNECT_SECONDS, UPLOAD_SECONDS),
                allow_redirects=False,
            )
        if answer.status_code == requests.codes.ok:
            return
        if 400 <= answer.status_code < 500:
            raise RequestRefused(
                f"{what}: the storage answered {answer.status_code}; a new import is started",
                status=answer.status_code,
            )
        raise FateUnknown(f"{what}: the storage answered {answer.status_code}")

    def get_file(self, url: str, max_bytes: int) -> bytes:
        """Download a signed URL without the key; at most `max_bytes`, within a minute.

        Raises RetryableError when it isn't there, gone or too large: nothing may be concluded.
        """
        what = "GET errors_url"
        check_url(url, "errors_url", loopback=self._loopback)
        deadline = time.monotonic() + READ_SECONDS
        pieces: list[bytes] = []
        with (
            _sent(what),
            self._storage.get(
                url,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            if answer.status_code != requests.codes.ok:
                raise RetryableError(f"{what}: the storage answered {answer.status_code}")
            for piece in answer.raw.stream(1 << 16, decode_content=False):
                pieces.append(piece)
                if sum(map(len, pieces)) > max_bytes or time.monotonic() > deadline:
                    raise RetryableError(f"{what}: larger than {max_bytes} bytes, or too slow")
        return b"".join(pieces)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self._storage.close()


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy or netrc from the environment
    session.headers.clear()
    session.headers.update({"User-Agent": "contact-sync", "Accept-Encoding": "identity"})
    return session


class _sent:  # noqa: N801 reads as a verb: with _sent(what)
    """Translate what `requests` raises, dropping its text: it holds full signed URLs."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: Any, error: BaseException | None, _trace: Any) -> None:
        if not isinstance(error, _LIBRARY_ERRORS) or isinstance(error, SyncError):
            return
        if isinstance(error, requests.ConnectTimeout) or _is_refused(error):
            raise RetryableError(
                f"{self._what}: the host can't be reached; check the connection's host and the "
                f"network"
            ) from None
        kind = type(error).__name__
        raise FateUnknown(f"{self._what}: no answer ({kind}); it may have had an effect") from None


def _is_refused(error: BaseException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")


def check_answer(answer: requests.Response, what: str) -> None:
    """Raise the error that fits the status; return for 2xx."""
    status = answer.status_code
    if 200 <= status < 300:
        return
    errors = _errors(answer)
    said = f": {_messages(errors)}" if errors else ""
    if status in (401, 403):
        hint = (
            "the API key is wrong, revoked or of another region"
            if status == 401
            else "the API key lacks permission; it needs Marketing: Full Access"
        )
        raise AuthError(f"{what}: SendGrid answered {status}{said}; {hint}")
    if status == 429:
        raise RetryableError(f"{what}: rate limit reached", retry_after=_retry_after(answer))
    if status >= 500 or status == 408:
        raise FateUnknown(f"{what}: SendGrid answered {status}")
    raise RequestRefused(f"{what}: SendGrid answered {status}{said}", status=status, errors=errors)


def _errors(answer: requests.Response) -> list[dict[str, object]]:
    try:
        body = answer.json()
    except ValueError:
        return []
    errors = body.get("errors") if isinstance(body, dict) else None
    errors = [errors] if isinstance(errors, dict) else errors
    return [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []


def _messages(errors: list[dict[str, object]]) -> str:
    """SendGrid's own words, without quoted values and addresses.

    From the first quote to the last: addresses may hold quotes themselves (o'brien@…).
    """
    messages = [str(error.get("message", "")) for error in errors[:3]]
    unquoted = [_QUOTED.sub("'…'", message) for message in messages]
    return "; ".join(_ADDRESS.sub("…", message) for message in unquoted)[:300]


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


def _retrying() -> tenacity.Retrying:
    backoff = tenacity.wait_random_exponential(multiplier=1, max=30)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        hint = error.retry_after if isinstance(error, RetryableError) else None
        return backoff(state) if hint is None else hint + 0.2

    def is_worthwhile(error: BaseException) -> bool:
        if not isinstance(error, RetryableError) or isinstance(error, FateUnknown):
            return False
        return error.retry_after is None or error.retry_after < RETRY_BUDGET_SECONDS

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_worthwhile),
        wait=wait,
        stop=tenacity.stop_after_attempt(MAX_TRIES)
        | tenacity.stop_before_delay(RETRY_BUDGET_SECONDS),
        reraise=True,
    )
