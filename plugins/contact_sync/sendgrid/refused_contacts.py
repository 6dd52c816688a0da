"""Find out from a 400 answer which contacts of a JSON batch SendGrid refuses. Pure.

One bad address makes SendGrid refuse the whole call: `{"errors": [{"field": "contacts[0].email",
"message": "email '…' is not valid"}]}`, in a newer form `contacts[0].identifier` (Grouparoo's
recordings; Segment's tests of 2025). No answer about another field was ever recorded; one that
names a contact is taken for the same.
"""

from __future__ import annotations

import re

from contact_sync.base.errors import RequestRefused
from contact_sync.base.vocabulary import Refusal, Refused

_INDEX = re.compile(r"^contacts\[(\d+)\](?:\.(\w+))?")
_QUOTED = re.compile(r"^email '(.+)' is not valid$")


def refused_by_answer(error: RequestRefused, emails: list[str]) -> dict[str, Refused]:
    """Address → refusal for the contacts that the answer names; empty when it names none."""
    refused: dict[str, Refused] = {}
    known = set(emails)
    for entry in error.errors:
        message = str(entry.get("message") or "")
        index = _INDEX.match(str(entry.get("field") or ""))
        quoted = _QUOTED.match(message)
        if quoted and quoted.group(1).lower() in known:
            refused[quoted.group(1).lower()] = Refused(Refusal.REFUSED_BY_SENDGRID, "not valid")
        elif index and int(index.group(1)) < len(emails):
            what = index.group(2) or "contact"
            field = "" if what in ("email", "identifier") else f"{what} "
            refused[emails[int(index.group(1))]] = Refused(
                Refusal.REFUSED_BY_SENDGRID, f"{field}not valid"
            )
    return refused
