"""Tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; cells may hold any text on one line."""
    return [_line(titles), "|" + "---|" * len(titles), *(_line(row) for row in rows)]


def code(text: object) -> str:
    """Text as code."""
    return f"`{text}`"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(text: str) -> str:
    """On one line, and nothing in it taken for a border or for HTML."""
    parts = " ".join(text.split()).replace("|", "\\|").split("`")
    parts[::2] = [plain.replace("<", "&lt;") for plain in parts[::2]]
    return "`".join(parts)
