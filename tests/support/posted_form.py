"""The form of a sync as a browser without a browser: read a page's form, fill it in, encode it."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import quote_plus

Pairs = list[tuple[str, str]]


class _Form(HTMLParser):
    """What a browser would send of the form with the id `sheet`, in its order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.pairs: Pairs = []
        self.options: dict[str, set[str]] = {}
        self._select = ""
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in given}
        self._inside |= has.get("id") == "sheet"
        if not self._inside:
            return
        if tag == "input":
            self.pairs.append((has["name"], has.get("value", "")))
        elif tag == "select":
            self._select = has["name"]
        elif tag == "option":
            self.options.setdefault(self._select, set()).add(has["value"])
            if "selected" in has:
                self.pairs.append((self._select, has["value"]))

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "form"


def filled(page: str, **texts: str) -> Pairs:
    """The page's form with other texts; `Status="status"` maps a field, `Status=""` doesn't."""
    found: Pairs = []
    field = ""
    for name, value in _Form(page).pairs:
        field = value if name == "field" else field
        found.append((name, texts.get(field if name == "column" else name, value)))
    return found


def options_of(page: str) -> dict[str, set[str]]:
    """What each list of the form offers."""
    return _Form(page).options


def encoded(pairs: Pairs) -> str:
    """The body of the request."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)


def definition_of(page: str) -> str:
    """The text that the page offers for copying."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert found, page
    return unescape(found[1])
