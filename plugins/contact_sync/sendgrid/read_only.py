"""Which calls change nothing at SendGrid; a shadow makes no others. Pure."""

from __future__ import annotations

import re

from contact_sync.base.errors import FatalError

READING_POSTS = re.compile(
    r"/v3/marketing/contacts/(search(/emails)?|exports)|/v3/asm/groups/\d+/suppressions/search"
)
"""Routes whose POST changes no contact, list, field or suppression (OAS)."""


def refuse_writing(method: str, path: str, what: str) -> None:
    """Raise FatalError for a call that may change the account; `what` names it."""
    if method == "GET" or (method == "POST" and READING_POSTS.fullmatch(path)):
        return
    raise FatalError(
        f"{what}: refused before it left, because the definition says `shadow: true`: a shadow "
        f"changes nothing at SendGrid"
    )
