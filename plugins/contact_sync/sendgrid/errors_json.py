"""The rows of an errors file in JSON: a list of objects, an object around one, one object a line,
or an object with addresses as keys. Pure; holds one row at a time.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from contact_sync.sendgrid.errors_row import address_in

MAX_VALUE = 1_000_000  # characters of one row
PIECE = 1 << 16
DEEPEST = 4  # objects inside a row
_DECODER = json.JSONDecoder()
_SAID = ("message", "reason", "error", "description", "detail")


def json_rows(text: io.TextIOBase) -> Iterator[dict[str, Any]]:
    """Each object that may be a row. Raises ValueError for what is no JSON or broken off."""
    source = _Source(text)
    while mark := source.mark():
        if mark == ",":
            source.skip()
        elif mark == "[":
            yield from _items(source)
        elif mark == "{":
            yield from _object(source)
        else:
            raise ValueError("neither a list nor an object")


def flat(row: dict[str, Any]) -> dict[str, str]:
    """The texts of a row by their names; those of objects in it have their own names."""
    return dict(_cells(row, DEEPEST))


def _cells(row: dict[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    for key, value in row.items():
        if isinstance(value, dict) and depth:
            yield key, _said(value, depth)
            yield from _cells(value, depth - 1)
        elif address_in(key):
            yield "email", key
            yield "reason", _said(value, depth)
        else:
            yield key, _said(value, depth)


def _said(value: Any, depth: int) -> str:
    if isinstance(value, list) and depth:
        return "; ".join(filter(None, (_said(item, depth - 1) for item in value)))
    if isinstance(value, dict) and depth:
        return next((said for key in _SAID if (said := _said(value.get(key), depth - 1))), "")
    return value if isinstance(value, str) else ""


def _items(source: _Source) -> Iterator[dict[str, Any]]:
    source.skip()
    while (mark := source.mark()) != "]":
        if mark == ",":
            source.skip()
            continue
        item = source.value()
        if isinstance(item, dict):
            yield item
        elif isinstance(item, str) and _says_why(item):
            yield {"": item}
    source.skip()


def _object(source: _Source) -> Iterator[dict[str, Any]]:
    """A row, or what is around rows; that may be as long as the file."""
    whole = source.short_value()
    if whole is not None:
        yield from _rows_in(whole, DEEPEST)
        return
    source.skip()
    while (mark := source.mark()) != "}":
        if mark == ",":
            source.skip()
            continue
        key = source.value()
        if source.mark() != ":" or not isinstance(key, str):
            raise ValueError("an object's key is missing")
        source.skip()
        mark = source.mark()
        if mark == "[":
            yield from _items(source)
        elif mark == "{" and not address_in(key):
            yield from _object(source)
        else:
            yield {key: source.value()}
    source.skip()


def _rows_in(value: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    items = [item for part in value.values() if isinstance(part, list) for item in part]
    objects = [item for item in items if isinstance(item, dict)]
    if any(_names(item) for item in objects):
        yield from objects
    elif _names(value):
        yield value
    elif any(address_in(key) for key in value):
        yield from ({key: said} for key, said in value.items())
    else:
        yield from ({"": item} for item in items if isinstance(item, str) and _says_why(item))
        for part in value.values():
            if isinstance(part, dict) and depth:
                yield from _rows_in(part, depth - 1)


def _says_why(text: str) -> bool:
    """Whether there is more in it than an address: a bare one may be of any list of addresses."""
    return (address_in(text) or "").strip().lower() != text.strip().lower()


def _names(value: dict[str, Any]) -> bool:
    """Whether an object says an address itself, or in an object of its own."""
    inner = [part for part in value.values() if isinstance(part, dict)]
    texts = [part for one in (value, *inner) for part in one.values() if isinstance(part, str)]
    return any(map(address_in, texts))


class _Source:
    """JSON text that is read piece by piece."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._file = text
        self._text = ""
        self._at = 0
        self._is_all = False

    def mark(self) -> str:
        """The next character that is no white space; "" at the end."""
        while True:
            while self._at < len(self._text):
                if not (mark := self._text[self._at]).isspace():
                    return mark
                self._at += 1
            if self._is_all:
                return ""
            self._more()

    def skip(self) -> None:
        """Leave that character behind."""
        self._at += 1

    def value(self) -> Any:
        """The value that begins here."""
        found = self._value()
        if found is None:
            raise ValueError("a row is too long")
        return found[0]

    def short_value(self) -> Any:
        """The object that begins here; None, and nothing is read, if it is longer than a row."""
        found = self._value()
        return found[0] if found else None

    def _value(self) -> tuple[Any] | None:
        self.mark()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if self._is_all:
                    raise
            else:
                if end < len(self._text) or self._is_all:  # a number may go on
                    self._at = end
                    return (value,)
            if len(self._text) - self._at > MAX_VALUE:
                return None
            self._more()

    def _more(self) -> None:
        piece = self._file.read(PIECE)
        self._is_all = not piece
        self._text = self._text[self._at :] + piece
        self._at = 0
