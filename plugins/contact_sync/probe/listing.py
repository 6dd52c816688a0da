"""The lists and custom fields of an account, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contact_sync.base.errors import RetryableError
from contact_sync.sendgrid.raw_calls import FIELDS, LISTS, Exchange

Call = Callable[[str, str], Exchange]
"""Makes a reading call: method and path."""
MOST_PAGES = 20
"""Of 1000 lists each; an account has at most 1000."""


def lists(call: Call) -> dict[str, str]:
    """The account's lists: name → id. Raises RetryableError when they can't be read: nothing may be
    concluded then."""
    found: dict[str, str] = {}
    token = ""
    for _page in range(MOST_PAGES):
        body = _read(call, f"{LISTS}?page_size=1000{token}", "result")
        for item in body["result"]:
            found.setdefault(str(item["name"]), str(item["id"]))
        following = str((body.get("_metadata") or {}).get("next") or "")
        if "page_token=" not in following:
            return found
        token = f"&page_token={following.partition('page_token=')[2].partition('&')[0]}"
    raise RetryableError(f"The account's lists don't end after {MOST_PAGES} pages")


def custom_fields(call: Call) -> dict[str, str]:
    """The account's custom fields: name → id. Raises RetryableError when they can't be read."""
    items = _read(call, FIELDS, "custom_fields", may_lack="reserved_fields")["custom_fields"]
    return {str(item["name"]): str(item["id"]) for item in items}


def reserved_fields(call: Call) -> dict[str, str]:
    """The account's reserved fields: name → id. Raises RetryableError when they can't be read."""
    items = _read(call, FIELDS, "reserved_fields")["reserved_fields"]
    return {str(item["name"]): str(item["id"]) for item in items}


def _read(call: Call, path: str, key: str, may_lack: str = "") -> dict[str, Any]:
    """An answer that has a list under `key`, or lacks it but has one under `may_lack`."""
    found = call("GET", path)
    body = found.body
    if found.ok and key not in body and isinstance(body.get(may_lack), list):
        body = body | {key: []}
    if not found.ok or not isinstance(body.get(key), list):
        what = path.partition("?")[0]
        raise RetryableError(f"GET {what}: answered by {found.status}, without {key}")
    return body
