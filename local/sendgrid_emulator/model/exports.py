"""Exports: all contacts, or those of some lists, as one gzipped file.

The states and the answer are from the API description; the layout of the file is ours [I].
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from local.sendgrid_emulator.jobs.queue import Job
from local.sendgrid_emulator.model.account import Account
from local.sendgrid_emulator.model.clock import iso
from local.sendgrid_emulator.model.show import Showcase
from local.sendgrid_emulator.model.signing import signed_url
from local.sendgrid_emulator.model.spool import Spool

FileType = Literal["csv", "json"]
LISTLESS = ("alternate_emails", "list_ids", "segment_ids", "custom_fields", "_metadata")


@dataclass(slots=True, eq=False)
class Export:
    """An export from its order on; `file` is None until it is ready, and after a failure."""

    job: Job
    file_type: FileType
    list_ids: tuple[str, ...]
    file: Spool | None = None
    contact_count: int = 0

    @property
    def name(self) -> str:
        """Return the last part of the file's address: not .gz [K StrongGrid]."""
        return f"contacts.{self.file_type}.gzip"

    def answer(self, account: Account, origin: str, base_url: str) -> dict[str, Any]:
        """Return the body of GET exports/{id}."""
        path = f"/v3/marketing/contacts/exports/{self.job.id}"
        shown: dict[str, Any] = {
            "id": self.job.id,
            "status": "pending",
            "created_at": iso(self.job.accepted_at),
            "_metadata": {"self": base_url + path},
        }
        finished_at = self.job.finish_at
        if finished_at is None or account.clock.now() < finished_at:
            return shown
        shown["completed_at"] = iso(finished_at)
        if self.file is None:
            return shown | {"status": "failure", "message": self.job.failure}
        lifetime = account.settings.export_lifetime
        url = signed_url(
            origin,
            f"/exports/{self.job.id}/{self.name}",
            secret=account.secret,
            now=finished_at,
            lifetime=lifetime,
        )
        return shown | {
            "status": "ready",
            "urls": [url],
            "expires_at": iso(finished_at + lifetime),
            "contact_count": self.contact_count,
        }


async def run_export(account: Account, export: Export, base_url: str) -> None:
    """Write the file, unless the job's fault is to fail or never to finish."""
    job = export.job
    if job.rows_to("fails_halfway") is not None:
        job.failure = "internal error"
    else:
        show = Showcase(account, base_url)
        shown = [
            show.contact(contact)
            for contact in account.contacts.by_id.values()
            if not export.list_ids or not set(export.list_ids).isdisjoint(contact.list_ids)
        ]
        data = csv_text(shown) if export.file_type == "csv" else json_lines(shown)
        export.contact_count = len(shown)
        export.file = Spool()
        export.file.write(gzip.compress(data))
        export.file.done()
    if job.fault is None or job.fault.kind != "never_finishes":
        job.finish_at = account.clock.now() + account.settings.finish_delay


def json_lines(shown: list[dict[str, Any]]) -> bytes:
    """Return contacts as searches show them, one a line [I]."""
    return b"".join(orjson.dumps(contact) + b"\n" for contact in shown)


def csv_text(shown: list[dict[str, Any]]) -> bytes:
    """Return contacts with texts and custom fields as columns, upper-case names [I]."""
    rows = [
        {name.upper(): value for name, value in contact.items() if name not in LISTLESS}
        | contact["custom_fields"]
        for contact in shown
    ]
    columns = dict.fromkeys(name for row in rows for name in row) or {"EMAIL": None}
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
