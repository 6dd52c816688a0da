"""The part of a probe about exports of its own list."""

from __future__ import annotations

import csv
import json
from collections.abc import Set
from typing import Any
from urllib.parse import quote

from contact_sync.base.account_question import OTHER, UNSEEN
from contact_sync.base.errors import FatalError, RetryableError
from contact_sync.config.account_profile import Answer
from contact_sync.probe.account import JOB_SECONDS, POLL_SECONDS, Account
from contact_sync.probe.errors_file import unpacked, valid_seconds
from contact_sync.sendgrid.raw_calls import CONTACTS

DAY = "2021-02-11"
DATES = {f"{DAY}T00:00:00Z": "iso", DAY: "day", "02/11/2021": "us"}
EXPORTS = f"{CONTACTS}/exports"


def ask(account: Account, _asked: Set[str]) -> dict[str, Answer]:
    """The answers about exports, by one of each type."""
    ids, address = account.fields(), account.address("export")
    custom = {ids["text"]: "text", ids["number"]: 5, ids["date"]: f"{DAY}T00:00:00Z"}
    account.sent([{"email": address, "first_name": "Export", "custom_fields": custom}])
    account.settle()
    export_id, first = _export(account, "json")
    account.clock.sleep(POLL_SECONDS)
    again = account.call("GET", f"{EXPORTS}/{quote(export_id, safe='')}").body
    url = str(first["urls"][0])
    raw = _downloaded(account, url)
    text = unpacked(raw).decode("utf-8", "replace").strip()
    form = {"[": "array", "{": "lines"}.get(text[:1], OTHER)
    contact = next((c for c in _contacts(text) if c.get("email") == address), None)
    seconds = valid_seconds(url)
    found = {
        "export_packed": Answer("yes" if raw[:2] == b"\x1f\x8b" else "no", "its first two bytes"),
        "export_json": Answer(form, "its first character"),
        "export_links": Answer(UNSEEN, "the second look had no address")
        if not again.get("urls")
        else Answer("once" if first["urls"] == again["urls"] else "each_look", "two looks"),
        "export_seconds": Answer(UNSEEN, "its address doesn't say")
        if seconds is None
        else Answer(seconds, "X-Amz-Expires of its address"),
    }
    if contact is None:
        nothing = Answer(UNSEEN, "the test contact isn't in the export")
        codes = ("export_lists", "export_unset", "export_dates", "export_numbers")
        return found | dict.fromkeys(codes, nothing)
    columns = _csv_columns(account)
    return found | _forms(account, contact, columns)


def _forms(account: Account, contact: dict[str, Any], columns: int) -> dict[str, Answer]:
    custom = contact.get("custom_fields")
    values = custom if isinstance(custom, dict) else contact
    date, number = (values.get(account.field_name(kind)) for kind in ("date", "number"))
    keys = ", ".join(sorted(key for key in contact if not key.startswith("contact_sync_probe")))
    is_number = isinstance(number, int | float)
    return {
        "export_lists": Answer("yes" if "list_ids" in contact else "no", f"its keys are {keys}"),
        "export_unset": Answer(
            "yes" if "city" in contact else "no",
            f"a contact without a city; a CSV export has {columns} columns",
        ),
        "export_dates": Answer(DATES.get(str(date), OTHER), f"of {DAY}, {len(str(date))} signs"),
        "export_numbers": Answer(
            "number" if is_number else "text" if isinstance(number, str) else OTHER, "of 5"
        ),
    }


def _export(account: Account, file_type: str) -> tuple[str, dict[str, Any]]:
    """Order an export of the probe's list; returns its id and what is said of it once it is
    ready."""
    body = {
        "list_ids": [account.list_id()],
        "file_type": file_type,
        "notifications": {"email": False},
    }
    ordered = account.call("POST", EXPORTS, body)
    export_id = str(ordered.body.get("id", ""))
    if not ordered.ok or not export_id:
        raise FatalError(f"SendGrid refused an export of the probe's list ({ordered.status})")
    deadline = account.clock.now() + JOB_SECONDS
    while account.clock.now() <= deadline:
        found = account.call("GET", f"{EXPORTS}/{quote(export_id, safe='')}").body
        urls = found.get("urls")
        if found.get("status") == "ready" and isinstance(urls, list) and urls:
            return export_id, found
        if found.get("status") == "failure":
            raise RetryableError("An export of the probe's list failed: try again later")
        account.clock.sleep(POLL_SECONDS)
    raise RetryableError(f"An export isn't ready after {JOB_SECONDS:.0f} seconds")


def _downloaded(account: Account, url: str) -> bytes:
    found = account.calls.download(url, "the export's address")
    if not found.ok or not found.raw:
        raise RetryableError(f"An export of the probe's list can't be fetched ({found.status})")
    return found.raw


def _contacts(text: str) -> list[dict[str, Any]]:
    try:
        if text[:1] == "[":
            found = json.loads(text)
        else:
            found = [json.loads(line) for line in text.splitlines() if line]
    except ValueError:
        return []
    return [item for item in found if isinstance(item, dict)]


def _csv_columns(account: Account) -> int:
    _, ready = _export(account, "csv")
    text = unpacked(_downloaded(account, str(ready["urls"][0]))).decode("utf-8", "replace")
    return len(next(csv.reader([text.partition("\n")[0]]), []))
