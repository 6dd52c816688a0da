"""Find out from a refusal of a JSON upsert what SendGrid complains about. Pure.

One bad address makes SendGrid refuse the whole call: `{"errors": [{"field": "contacts[0].email",
"message": "email '…' is not valid"}]}`, in a newer form `contacts[0].identifier` (Grouparoo's
recordings; Segment's tests of 2025). The number needn't be the contact's place in the request:
Twilio's own connector test has the bad address second and `contacts[0]` in the field. So an address
in the message counts alone; a place without one is a suspicion that has to be tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contact_sync.base.errors import RequestRefused

_PLACE = re.compile(r"contacts?\[(\d{1,9})\]")
_QUOTED = (re.compile(r"'(.+)'"), re.compile(r'"(.+)"'), re.compile(r"`(.+)`"))
_WHOLE = re.compile(r"(?<![^\s\"<>()\[\],;:])[^\s\"<>()\[\],;:]+@[\w.-]*\w")
"""With a quote that begins it: an address may, and without that it is somebody else's."""
_BARE = re.compile(r"[^\s'\"`<>()\[\],;:]+@[^\s'\"`<>()\[\],;:]+")
_ODD = re.compile(r"\S+@\S+")
_ENDS = ".,;:!?'\"`<>()[]{}"
MAX_MESSAGE = 2_000


@dataclass(frozen=True, slots=True)
class Complaint:
    """One of SendGrid's error objects: `said` and `where` are its message and field as they came,
    with whatever values they quote. `email`: the contact of the request whose address it names.
    `place`: the number that it gives a contact instead, if that is one of the request's.
    """

    said: str
    where: str
    email: str | None = None
    place: int | None = None

    @property
    def is_about_a_contact(self) -> bool:
        """Whether it names a contact, or claims to."""
        return self.email is not None or self.place is not None


def complaints(error: RequestRefused, emails: Sequence[str]) -> list[Complaint]:
    """What the answer says about a request with the contacts of these addresses, in order."""
    known = set(emails)
    found = []
    for entry in error.errors:
        said = str(entry.get("message") or "")[:MAX_MESSAGE]
        where = str(entry.get("field") or "")[:MAX_MESSAGE]
        addresses = list(addresses_in(said))
        named = next((address for address in addresses if address in known), None)
        place = _PLACE.search(where)
        is_place = place is not None and not addresses and int(place.group(1)) < len(emails)
        number = int(place.group(1)) if place and is_place else None
        found.append(Complaint(said, where, named, number))
    return found


def refused_by_answer(error: RequestRefused, emails: Sequence[str]) -> dict[str, str]:
    """Address → SendGrid's words, for the addresses of a request that the answer names."""
    found = complaints(error, emails)
    return {complaint.email: complaint.said for complaint in found if complaint.email}


def addresses_in(said: str) -> Iterator[str]:
    """What may be an address in a message, in lower case."""
    if "@" not in said:
        return
    for pattern in (*_QUOTED, _WHOLE, _BARE, _ODD):
        for match in pattern.finditer(said):
            text = match.group(match.lastindex or 0).strip().lower()
            for found in (text, text.strip(_ENDS)):
                if "@" in found:
                    yield found
