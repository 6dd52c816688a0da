"""Pages of suppressions of any kind: between two times, by a part of the address, 500 at most."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.requests import Request

from local.sendgrid_emulator.model.refusal import Refusal

MAX_SHOWN = 500  # API description: limit of all of them
MAX_DIGITS = 12
FILTERS = {"start_time", "end_time", "limit", "offset", "email"}


def page(request: Request, records: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the addresses of a page and their epoch seconds, the newest first [I].

    Both times are included [I]. `email` is how an address begins, with % for anything [K API
    description].
    """
    query = request.query_params
    unknown = sorted(set(query) - FILTERS)
    if unknown:
        raise Refusal(400, f"unknown parameter {unknown[0]}", unknown[0])
    start, end = number(request, "start_time", 0), number(request, "end_time", 10**MAX_DIGITS)
    limit, offset = number(request, "limit", MAX_SHOWN), number(request, "offset", 0)
    if not 1 <= limit <= MAX_SHOWN:
        raise Refusal(400, f"limit must be 1 to {MAX_SHOWN}", "limit")
    like = re.compile(".*".join(map(re.escape, query.get("email", "").lower().split("%"))))
    found = sorted(
        (-created, address)
        for address, created in records.items()
        if start <= created <= end and like.match(address)
    )
    return [(address, -created) for created, address in found[offset : offset + limit]]


def number(request: Request, name: str, default: int) -> int:
    """Return a whole number of the query."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > MAX_DIGITS:
        raise Refusal(400, f"{name} must be a whole number", name)
    return int(text)
