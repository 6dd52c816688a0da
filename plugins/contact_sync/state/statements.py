"""The statements of include/sql/state/, by name: one file a module, as procrastinate keeps them.

In a file each statement stands after a line with its name, `-- save_plan --`, and comments that
say what it is for and what its parameters are, where their names don't; it ends with a semicolon.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, LiteralString

from contact_sync.base.paths import INCLUDE
from contact_sync.postgres.literals import literal

FOLDER = INCLUDE / "sql" / "state"
_NAME = re.compile(r"^-- (\w+) --$", re.MULTILINE)
_COMMENT = re.compile(r"(\s*--[^\n]*\n)*")


class Statements(dict[str, LiteralString]):
    """The statements of one file by name, without comment and semicolon."""

    def __init__(self, file: str, found: dict[str, LiteralString]) -> None:
        super().__init__(found)
        self._file = file

    def __missing__(self, name: str) -> LiteralString:
        raise LookupError(f"{self._file}.sql has no statement {name}, only {', '.join(self)}")


@lru_cache
def load(file: str) -> Statements:
    """The statements of `include/sql/state/<file>.sql`; read once a process.

    Raises ValueError when two have the same name, or one has no name.
    """
    text = (FOLDER / f"{file}.sql").read_text(encoding="utf-8")
    head, *parts = _NAME.split(text)
    found: dict[str, LiteralString] = {}
    if _COMMENT.sub("", head, count=1).strip():
        raise ValueError(f"{file}.sql begins with a statement that has no name")
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in found:
            raise ValueError(f"{file}.sql has two statements of the name {name}")
        statement, _, rest = _COMMENT.sub("", body, count=1).partition(";")
        if rest.strip() or not statement.strip():
            raise ValueError(f"{file}.sql must have one statement after the name {name}")
        found[name] = statement.strip()
    return Statements(file, found)


def with_values(statement: LiteralString, **values: Any) -> str:
    """A statement with its parameters as literals: COPY, by which Arrow reads, binds none."""
    return statement % {name: literal(value) for name, value in values.items()}
