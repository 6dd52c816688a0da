"""The calls of `SendGridApi` about exports, the only full read of an account.

Facts are from Twilio's OpenAPI description tsg_mc_contacts_v3 and its page "Manage contacts": an
export is ordered, looked at until it is ready, and its files can be fetched for 12 hours.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from contact_sync.base.verdicts import ExportStatus
from contact_sync.sendgrid.answer_parts import count, optional_text, part, text
from contact_sync.sendgrid.transport import Transport

log = logging.getLogger(__name__)
EXPORTS = "/v3/marketing/contacts/exports"
MAX_FILE_MB = 500
"""Of one file, before a next one begins: what is cut off is fetched again as a whole."""
MAX_URLS = 10_000
MAX_SECONDS = 7_200.0
"""Of one file, while it is read and stored."""


@dataclass(frozen=True, slots=True)
class Export:
    """One look at an export. `urls` are signed: never log or store them. `message`: of a failure,
    SendGrid's own words; `contacts`: how many it says that it holds, 0 = it doesn't say."""

    export_id: str
    status: ExportStatus
    urls: tuple[str, ...] = field(default=(), repr=False)
    message: str = ""
    contacts: int = 0


class ExportCalls:
    """A part of `SendGridApi`, which gives the transport."""

    _transport: Transport

    def order_export(self, list_id: str | None = None) -> str:
        """`POST contacts/exports`: order an export of all contacts, or of those on a list, and
        return its id. Changes nothing, and mails nobody; a repeated order leaves one export more.
        """
        body: dict[str, Any] = {
            "file_type": "json",
            "max_file_size": MAX_FILE_MB,
            "notifications": {"email": False},
        }
        if list_id is not None:
            body["list_ids"] = [list_id]
        answer = self._transport.call("POST", EXPORTS, json=body, repeatable=True)
        return text(answer, "id", f"POST {EXPORTS}")

    def export(self, export_id: str) -> Export:
        """`GET contacts/exports/{id}`. An undocumented status counts as pending.

        Raises RequestRefused with status 404 when SendGrid doesn't know it (any more).
        """
        route = f"{EXPORTS}/{{id}}"
        path = f"{EXPORTS}/{quote(export_id, safe='')}"
        what = f"GET {route}"
        body = self._transport.call("GET", path, route=route, repeatable=True)
        raw = str(body.get("status", ""))
        status = ExportStatus(raw) if raw in set(ExportStatus) else ExportStatus.PENDING
        if raw not in set(ExportStatus):
            log.warning("Export %s has the unknown status %r: pending", export_id, raw[:40])
        urls = part({"urls": []} | body, "urls", list, what)
        for url in urls:
            self._transport.mask_url(str(url))
        return Export(
            export_id,
            status,
            tuple(str(url) for url in urls[:MAX_URLS]),
            optional_text(body, "message"),
            count(body, "contact_count"),
        )

    @contextmanager
    def export_file(self, url: str) -> Iterator[Iterator[bytes]]:
        """A file of an export, piece by piece as it comes, fetched without the key; raises as
        `Transport.open_file` does."""
        what = "a file of the export"
        with self._transport.open_file(url, what, MAX_SECONDS) as pieces:
            yield pieces
