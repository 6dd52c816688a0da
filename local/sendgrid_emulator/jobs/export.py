"""Carry out an export: write all contacts, or those of some lists, into one gzipped file.

The layout of the file is ours [I].
"""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import orjson

from local.sendgrid_emulator.model.account import Account
from local.sendgrid_emulator.model.exports import Export
from local.sendgrid_emulator.model.show import Showcase
from local.sendgrid_emulator.model.spool import Spool

LISTLESS = ("alternate_emails", "list_ids", "segment_ids", "custom_fields", "_metadata")


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
