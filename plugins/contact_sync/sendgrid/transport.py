"""HTTP as SendGrid needs it: time-outs, rate limits, no redirects, typed errors, no secrets.

Exceptions name method, route and status, never a URL's query, a header or a body: signed URLs and
addresses would be in them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import parse_qsl

import requests
import urllib3

from contact_sync.base.errors import (
    AnswerTooLarge,
    ConfigError,
    FateUnknown,
    RequestRefused,
    RetryableError,
)
from contact_sync.sendgrid.allowed_hosts import check_api_url, check_storage_url, is_loopback
from contact_sync.sendgrid.answers import check_answer, no_answer, parsed
from contact_sync.sendgrid.bodies import copied, pieces_of, read, storage_code
from contact_sync.sendgrid.connection import Line
from contact_sync.sendgrid.read_only import refuse_writing
from contact_sync.sendgrid.retries import RETRY_BUDGET_SECONDS, TellWait, retried, tell_nobody

CONNECT_SECONDS = 10
READ_SECONDS = 60
MIN_SECRET = 20  # characters; shorter values of a signed URL's query are dates and algorithms
_LIBRARY_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
_TALKATIVE = ("urllib3", "requests")
"""Loggers that put whole URLs, signatures included, into lines up to the level WARNING."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one call may take, from the first byte to the last; `retry_seconds`: within so
    many it is begun again after a fault."""

    answer_seconds: float = 120
    answer_bytes: int = 20_000_000
    download_seconds: float = 180
    upload_seconds: float = 600  # less than the lease's 15 minutes
    retry_seconds: float = RETRY_BUDGET_SECONDS


DEFAULT_LIMITS = Limits()


def key_mark(base_url: str, api_key: str) -> str:
    """Tells one key at one host from another, and tells nothing about it: 64 bits of a hash of 69
    random characters, as 16 hexadecimal digits."""
    return hashlib.blake2b(f"{base_url} {api_key}".encode(), digest_size=8).hexdigest()


def keep_unmasked(_secret: str) -> None:
    """For callers without a log that masks secrets."""


class Transport:
    """Sends requests to one API host with the key, and to storage hosts without it.

    `allowed_hosts`: further hosts that the connection's owner trusts, for the API and as domains
    of the storage. `mask` is told each secret that could get into a log. `read_only`: whatever may
    change the account is refused before it leaves. `tell_wait` may be set to whoever is to be told
    of calls that wait. For one thread at a time.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        allowed_hosts: Sequence[str] = (),
        mask: Callable[[str], None] = keep_unmasked,
        limits: Limits = DEFAULT_LIMITS,
        read_only: bool = False,
    ) -> None:
        check_api_url(base_url, allowed_hosts)
        if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ConfigError(
                "SendGrid's API key holds white space or a character that no key has: copy it again"
            )
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.ERROR)
        self._loopback = is_loopback(base_url)
        self._allowed_hosts = allowed_hosts
        self._mask = mask
        self._limits = limits
        self._read_only = read_only
        self.tell_wait: TellWait = tell_nobody
        mask(api_key)
        self._base_url = base_url.rstrip("/")
        self.key_mark = key_mark(self._base_url, api_key)
        self._line = Line()
        self._api = session_over(self._line)
        self._api.headers["Authorization"] = f"Bearer {api_key}"

    def mask_url(self, url: str) -> None:
        """Have a signed URL masked in logs, also when only its end or a signature shows."""
        query = url.partition("?")[2]
        values = [value for _, value in parse_qsl(query) if len(value) >= MIN_SECRET]
        for secret in filter(None, (url, query, *values)):
            self._mask(secret)

    def call(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        route: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Call the API and return its JSON object ({} for an empty answer, save that of a GET).

        `repeatable`: the call may be sent again when its fate is unknown; otherwise only answers
        that prove it had no effect (429, connection refused) are retried. `route` is the path for
        messages. Raises AuthError, RequestRefused, RetryableError or FateUnknown.
        """
        what = f"{method} {route or path}"
        if self._read_only:
            refuse_writing(method, path, what)

        def once() -> dict[str, Any]:
            try:
                return self._once(method, path, what, options)
            except FateUnknown as error:
                if repeatable:
                    raise RetryableError(str(error)) from None
                raise

        return retried(once, self._limits.retry_seconds, self.tell_wait)

    def _once(self, method: str, path: str, what: str, options: dict[str, Any]) -> dict[str, Any]:
        with (
            sent(what, self._line, self._limits.answer_seconds),
            self._api.request(
                method,
                self._base_url + path,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
                **options,
            ) as answer,
        ):
            raw = read(answer, self._limits.answer_bytes)
        check_answer(answer, parsed(raw), what)
        if raw is None and method == "GET":
            most = self._limits.answer_bytes // 1_000_000
            raise AnswerTooLarge(f"{what}: SendGrid's answer is larger than {most} MB")
        if raw == b"" and method != "GET":
            return {}
        body = parsed(raw)
        if body is None:
            raise FateUnknown(
                f"{what}: SendGrid answered {answer.status_code} with a body that isn't JSON, is "
                f"null, or is larger than {self._limits.answer_bytes} bytes"
            )
        return body if isinstance(body, dict) else {"result": body}

    def put_file(self, url: str, headers: dict[str, str], file: Any, size: int) -> None:
        """Upload a file to a signed URL, once, with exactly the given headers and no key.

        Raises RequestRefused for a definite refusal (nothing was stored), FateUnknown else.
        """
        what = "PUT upload_uri"
        if self._read_only:
            refuse_writing("PUT", "", what)
        self._check_storage(url, "upload_uri")
        line = self._storage_line()
        with (
            sent(what, line, self._limits.upload_seconds),
            session_over(line) as storage,
            storage.put(
                url,
                data=file,
                headers={**headers, "Content-Length": str(size)},
                timeout=(CONNECT_SECONDS, self._limits.upload_seconds),
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            if answer.status_code == requests.codes.ok:
                return  # whatever the storage says
            said = storage_code(answer)
        if 400 <= answer.status_code < 500:
            raise RequestRefused(
                f"{what}: the storage answered {answer.status_code}{f' {said}' if said else ''}",
                status=answer.status_code,
                errors=[{"field": "", "message": said}] if said else [],
            )
        raise FateUnknown(f"{what}: the storage answered {answer.status_code}")

    def get_file(self, url: str, file: IO[bytes], max_bytes: int) -> None:
        """Download a signed URL into `file`, without the key; at most `max_bytes`, in limited time.

        Raises RetryableError when it isn't there, gone or too large: nothing may be concluded.
        """
        try:
            with self.open_file(url, "errors_url", self._limits.download_seconds) as pieces:
                is_whole = copied(pieces, file, max_bytes)
        except RequestRefused as error:
            raise RetryableError(str(error)) from None
        if not is_whole:
            raise RetryableError(f"GET errors_url: larger than {max_bytes} bytes")

    @contextmanager
    def open_file(self, url: str, what: str, seconds: float) -> Iterator[Iterator[bytes]]:
        """A file at a signed URL as it comes, piece by piece, fetched without the key and in
        limited time; its end is its announced end.

        Raises RequestRefused with the storage's status when it isn't there, or not any more,
        RetryableError when the connection breaks.
        """
        self._check_storage(url, what)
        line = self._storage_line()
        try:
            with (
                sent(f"GET {what}", line, seconds),
                session_over(line) as storage,
                storage.get(
                    url,
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    allow_redirects=False,
                    stream=True,
                ) as answer,
            ):
                if answer.status_code != requests.codes.ok:
                    raise RequestRefused(
                        f"GET {what}: the storage answered {answer.status_code}",
                        status=answer.status_code,
                    )
                yield pieces_of(answer)
        except FateUnknown as error:
            raise RetryableError(str(error)) from None

    def _check_storage(self, url: str, what: str) -> None:
        self.mask_url(url)
        check_storage_url(url, what, self._allowed_hosts, loopback=self._loopback)

    def _storage_line(self) -> Line:
        return Line(public_only=True)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def session_over(line: Line) -> requests.Session:
    session = requests.Session()
    session.mount("http://", line)
    session.mount("https://", line)
    session.trust_env = False  # no proxy or netrc from the environment
    session.headers.clear()
    session.headers.update({"User-Agent": "contact-sync", "Accept-Encoding": "identity"})
    return session


@contextmanager
def sent(what: str, line: Line, seconds: float) -> Iterator[None]:
    """Limit a call's time; translate what `requests` raises, without its text: signed URLs."""
    try:
        with line.within(seconds):
            yield
    except _LIBRARY_ERRORS as error:
        if isinstance(error, requests.ConnectTimeout) or _is_refused(error):
            raise RetryableError(
                f"{what}: the host can't be reached; check the connection's host and the network"
            ) from None
        if _is_no_tls(error):
            raise RetryableError(
                f"{what}: TLS failed before anything was sent: nobody trusted vouches for the "
                f"host's certificate, or it speaks no TLS. Correct the connection's host, and see "
                f"whether something in between reads what is sent"
            ) from None
        is_late = line.was_late or isinstance(error, requests.Timeout)
        raise FateUnknown(no_answer(what, is_late=is_late)) from None


def _is_no_tls(error: BaseException) -> bool:
    """Whether the handshake failed: OpenSSL's reasons that come at no other time."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    cause = reason.args[0] if reason is not None and reason.args else None
    return getattr(cause, "reason", None) in ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER")


def _is_refused(error: BaseException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")
