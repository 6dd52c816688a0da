"""Calls with their whole answer, whatever it says: what a probe learns from.

Only the routes below can be called. "Delete all contacts", and a list together with its contacts,
are not among them.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from contact_sync.base.errors import FatalError, FateUnknown
from contact_sync.sendgrid.answers import parsed
from contact_sync.sendgrid.bodies import copied, pieces_of, read
from contact_sync.sendgrid.transport import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Transport,
    sent,
    session_over,
)

CONTACTS = "/v3/marketing/contacts"
LISTS = "/v3/marketing/lists"
FIELDS = "/v3/marketing/field_definitions"
MAX_FILE_BYTES = 50_000_000  # of some 40 contacts
_ID = r"[0-9A-Za-z_-]{1,100}"
_ROUTES = tuple(
    re.compile(pattern)
    for pattern in (
        r"GET /v3/scopes",
        rf"(GET|PUT) {CONTACTS}",
        rf"DELETE {CONTACTS}\?ids={_ID}(,{_ID})*",
        rf"POST {CONTACTS}/search/emails",
        rf"PUT {CONTACTS}/imports",
        rf"GET {CONTACTS}/imports/{_ID}",
        rf"DELETE {CONTACTS}/{_ID}/identifiers",
        rf"POST {CONTACTS}/exports",
        rf"GET {CONTACTS}/exports/{_ID}",
        rf"GET {LISTS}(\?page_size=1000(&page_token={_ID})?)?",
        rf"POST {LISTS}",
        rf"(GET|DELETE) {LISTS}/{_ID}",
        rf"GET {LISTS}/{_ID}/contacts/count",
        rf"DELETE {LISTS}/{_ID}/contacts\?contact_ids=({_ID}(,{_ID})*)?",
        rf"(GET|POST) {FIELDS}",
        rf"DELETE {FIELDS}/{_ID}",
    )
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and its answer. `headers`: of the answer, names in lower case."""

    method: str
    path: str
    sent: Any = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the call was accepted."""
        return 200 <= self.status < 300

    @property
    def body(self) -> dict[str, Any]:
        """The answer's JSON object; empty if it is none."""
        found = parsed(self.raw)
        return found if isinstance(found, dict) else {}

    def number(self, header: str) -> int | None:
        """A header that holds a whole number; None if it doesn't."""
        text = self.headers.get(header, "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 15 else None


class RawCalls(Transport):
    """Sends one call and returns its answer; nothing is tried again here."""

    listener: Callable[[Exchange], None] | None = None
    """Is told of each exchange, also of those with the storage."""

    def exchange(self, method: str, path: str, body: Any = None) -> Exchange:
        """Call the API. Raises FatalError for a route that isn't listed, and RetryableError or
        FateUnknown when there is no answer."""
        if not any(route.fullmatch(f"{method} {path}") for route in _ROUTES):
            raise FatalError(f"{method} {path.partition('?')[0]}: a probe doesn't make this call")
        what = f"{method} {path.partition('?')[0]}"
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        with (
            sent(what, self._line, self._limits.answer_seconds),
            self._api.request(
                method,
                self._base_url + path,
                data=data,
                headers={"Content-Type": "application/json"} if data is not None else None,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            raw = read(answer, self._limits.answer_bytes)
        if raw is None:
            raise FateUnknown(f"{what}: the answer is too large")
        return self._told(method, path, body, answer.status_code, dict(answer.headers), raw)

    def download(self, url: str, what: str) -> Exchange:
        """Fetch a signed URL without the key. Raises RetryableError when there is no answer."""
        self._check_storage(url, what)
        line = self._storage_line()
        with (
            sent(f"GET {what}", line, self._limits.download_seconds),
            session_over(line) as storage,
            storage.get(
                url, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, stream=True
            ) as answer,
        ):
            file = io.BytesIO()
            whole = copied(pieces_of(answer), file, MAX_FILE_BYTES)
        if not whole:
            raise FateUnknown(f"GET {what}: larger than {MAX_FILE_BYTES} bytes")
        headers = dict(answer.headers)
        return self._told("GET", what, None, answer.status_code, headers, file.getvalue())

    def upload(self, url: str, headers: dict[str, str], content: bytes) -> None:
        """PUT a file to an import's address, once. Raises RequestRefused or FateUnknown."""
        self.mask_url(url)
        self.put_file(url, headers, io.BytesIO(content), len(content))
        self._told("PUT", "upload_uri", content.decode(), 200, {}, b"")

    def host(self) -> str:
        """The API's host name."""
        return urlsplit(self._base_url).hostname or ""

    def _told(
        self, method: str, path: str, body: Any, status: int, headers: dict[str, str], raw: bytes
    ) -> Exchange:
        lower = {name.lower(): value for name, value in headers.items()}
        found = Exchange(method, path, body, status, lower, raw)
        if self.listener is not None:
            self.listener(found)
        return found
