"""Which cell of a row of an errors file is the address, and which the reason. Pure.

Names of columns are compared without case, spaces and punctuation. A row whose address isn't
certain names nobody: the caller then looks for the refused contacts otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_ADDRESS_NAMES = (
    "email", "emailaddress", "mail", "identifier", "contactemail", "contactidentifier", "recipient",
    "recipientemail", "contact", "address",
)  # fmt: skip
_REASON_NAMES = (
    "error", "errors", "errormessage", "errormessages", "reason", "reasons", "errorreason",
    "failurereason", "message", "messages", "description", "errordescription", "detail", "details",
    "cause", "failure",
)  # fmt: skip
_REASON_PARTS = ("error", "reason", "message", "fail", "descr", "detail", "cause", "problem")
_NO_REASON = ("code", "count", "id", "number", "row", "line")
NO_REASON = "refused"
MAX_REASON = 2_000  # characters; more is shown nowhere
_ADDRESS = re.compile(r"[^\s@<>,;|]+@[^\s@<>,;|]+")
_AS_SENT = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9.-]+[a-z0-9]", re.IGNORECASE)
_NAMED = re.compile(r"[^<>]*<\s*(?:mailto:)?([^\s@<>]+@[^\s@<>]+)\s*>\s*")
_AROUND = " \t\r\n\"'`()[]:.\ufeff\u200b\u200e\u200f\u00a0"


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of the address and of the reason in a row, by the names of its cells, best first."""

    addresses: tuple[int, ...]
    reasons: tuple[int, ...]

    @staticmethod
    @lru_cache(maxsize=16)
    def of(names: Sequence[str]) -> Columns:
        """By the names of the cells; "" for a cell without a name."""
        plain = [re.sub(r"[\W_]", "", str(name)).lower() for name in names]
        addresses = _named(plain, _ADDRESS_NAMES) or _with(plain, ("mail",), ("alternat", "second"))
        reasons = _named(plain, _REASON_NAMES)
        reasons += [n for n in _with(plain, _REASON_PARTS, _NO_REASON) if n not in reasons]
        return Columns(tuple(addresses), tuple(reasons))

    @property
    def is_known(self) -> bool:
        """Whether any name says what its cells are."""
        return bool(self.addresses or self.reasons)

    def entry(self, cells: list[str]) -> tuple[str, str] | None:
        """The address, in lower case, and the reason; None = the row names nobody for certain."""
        address, rest = self._address(cells)
        if not address:
            return None
        reason = next((cells[n] for n in self.reasons if n < len(cells) and cells[n].strip()), rest)
        return address.lower(), reason.strip()[:MAX_REASON] or NO_REASON

    def _address(self, cells: list[str]) -> tuple[str, str]:
        """The address, and what is the reason if no name says it."""
        for place in self.addresses:
            if place < len(cells) and (address := address_in(cells[place])):
                return address, _other(cells, place)
        found = {
            place: address for place, cell in enumerate(cells) if (address := address_in(cell))
        }
        if len({address.lower() for address in found.values()}) == 1:
            place, address = next(iter(found.items()))
            return address, _other(cells, place)
        if found:
            return "", ""
        texts = [cell for cell in cells if "@" in cell]
        inside = {a.strip(_AROUND).lower() for text in texts for a in _ADDRESS.findall(text)}
        return (inside.pop(), texts[0]) if len(inside) == 1 else ("", "")


def _other(cells: list[str], place: int) -> str:
    return cells[1 - place] if len(cells) == 2 else ""


def address_in(cell: str) -> str:
    """The address that a cell consists of, without what surrounds it; else ""."""
    if "@" not in cell:
        return ""
    if _AS_SENT.fullmatch(text := cell.strip()):
        return text  # its own quote or bar may begin it: without that it is somebody else's
    text = cell.strip(_AROUND)
    if named := _NAMED.fullmatch(text):
        return named[1]
    text = text.removeprefix("mailto:")
    return text if _ADDRESS.fullmatch(text) else ""


def _named(plain: list[str], names: tuple[str, ...]) -> list[int]:
    return [place for name in names for place, given in enumerate(plain) if given == name]


def _with(plain: list[str], parts: tuple[str, ...], without: tuple[str, ...]) -> list[int]:
    return [
        place
        for place, given in enumerate(plain)
        if any(part in given for part in parts) and not any(part in given for part in without)
    ]
