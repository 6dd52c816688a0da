"""Keep a probe's exchanges, without secrets and addresses: JSON, a line each.

The form is that of the recordings which are replayed against the emulator: `at` (seconds since the
first full minute), method, path, body, status, type (of the content), limit and remaining (of the
minute's calls), times, answer. Ids stay, because answers refer to them.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contact_sync.base.errors import ConfigError
from contact_sync.probe.made import Made
from contact_sync.sendgrid.raw_calls import Exchange

ADDRESS = re.compile(r"[^\s\"'<>@,;:()\[\]\\]+@[^\s\"'<>@,;:()\[\]\\]+")
API = re.compile(r"https?://[^/\s\"']+/v3/")
SIGNED = re.compile(r"https?://(?!api\.sendgrid\.com/)[^\s\"']+\?[^\s\"']+")
LONG_TEXT = 200
ORIGIN = "https://api.sendgrid.com"


class Recording:
    """A file of exchanges in a folder, for its owner only; `made` knows the probe's addresses."""

    def __init__(self, folder: Path, made: Made, now: Callable[[], float] = time.time) -> None:
        self._made = made
        self._stands_for: dict[str, str] = {}
        self._now = now
        self._start = now() // 60 * 60
        self._path = folder / f"probe_{made.connection}.jsonl"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise ConfigError(f"{self._path} can't be written: {error.strerror}") from None

    def keep(self, found: Exchange) -> None:
        """Add one exchange with the API; files are left out, as their addresses are secrets."""
        if not found.path.startswith("/v3/"):
            return
        if self._is_repeated_look(found):
            return
        limit, left = (found.number(f"x-ratelimit-{name}") for name in ("limit", "remaining"))
        line = {
            "at": int(self._now() - self._start),
            "method": found.method,
            "path": self._without_addresses(found.path),
            "body": self._clean(found.sent),
            "status": found.status,
            "type": found.headers.get("content-type", ""),
            "limit": limit,
            "remaining": left,
            "times": 1,
            "answer": self._clean(found.body or None),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")

    @staticmethod
    def _is_repeated_look(found: Exchange) -> bool:
        """A look at what isn't over yet: how many there are says nothing of SendGrid."""
        is_look = found.method == "GET" and re.search(r"/(im|ex)ports/", found.path) is not None
        return is_look and found.body.get("status") == "pending"

    def _clean(self, value: Any) -> Any:
        """A value without addresses and signed URLs; of somebody else's contact nothing is left but
        its kind."""
        if isinstance(value, dict):
            if self._is_foreign(value):
                return dict.fromkeys(value)
            return {self._clean(key): self._clean(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._clean(item) for item in value[:50]]
        return self._text(value) if isinstance(value, str) else value

    def _is_foreign(self, value: dict[str, Any]) -> bool:
        """A contact that isn't the probe's, as the newest contacts are listed; and a list or field
        of the account, whose name may tell of the business."""
        if "email" in value and "list_ids" in value:
            return value["email"] not in self._made.addresses.values()
        if "contact_count" in value and "name" in value:
            return bool(value["name"] != self._made.list_name)
        is_field = "field_type" in value and "_metadata" in value
        return is_field and value.get("name") not in self._made.fields

    def _text(self, text: str) -> str:
        found = self._without_addresses(text)
        return found if len(found) <= LONG_TEXT else f"{found[:LONG_TEXT]}…"

    def _without_addresses(self, text: str) -> str:
        text = API.sub(f"{ORIGIN}/v3/", text)
        text = SIGNED.sub("https://storage.example.com/signed", text)
        for address in (*ADDRESS.findall(text), *self._made.addresses.values()):
            text = text.replace(address, self._stand_in(address))
            text = text.replace(quote(address), self._stand_in(address))
        return text

    def _stand_in(self, address: str) -> str:
        known = self._stands_for
        return known.setdefault(address.lower(), f"person{len(known) + 1}@example.com")
