"""include/sql/state/schema.sql: what the migrations make, table by table, as pg_dump tells it."""

from __future__ import annotations

import re
import subprocess

from contact_sync.state.statements import FOLDER
from local.postgres.account import reachable_programs

DOCUMENT = FOLDER / "schema.sql"
_HEAD = """\
-- The schema contact_sync as the migrations and comments.sql make it; written by `make docs`.
-- To be read: what makes the tables is `python -m contact_sync migrate`.
"""
_END = "\n--\n-- PostgreSQL database dump complete"
_ENTRY = re.compile(r"^--\n-- Name: .*; Type: (.*); Schema: contact_sync; .*\n--\n", re.MULTILINE)
_COMMENT = re.compile(
    r"COMMENT ON (?:TABLE|VIEW|COLUMN) contact_sync\.([\w.]+) IS '(.*)';", re.DOTALL
)
_OBJECT = re.compile(r"\bcontact_sync\.(\w+)")
_COLUMN = re.compile(r"^    (?!CONSTRAINT)(\w+) .*$", re.MULTILINE)


def read_schema(url: str) -> str:
    """The text of schema.sql; `url` is a migrated state database's."""
    command = [
        str(reachable_programs(None) / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges",
        "--no-tablespaces", "--no-table-access-method",
        "--schema=contact_sync", "--exclude-table=contact_sync.alembic_version", url,
    ]  # fmt: skip
    dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    _, *parts = _ENTRY.split(dump.partition(_END)[0])
    entries = [(kind, text.strip()) for kind, text in zip(parts[::2], parts[1::2], strict=True)]
    return "\n\n".join([_HEAD, *("\n".join(group) for group in _by_table(entries))]) + "\n"


def _by_table(entries: list[tuple[str, str]]) -> list[list[str]]:
    """The statements of pg_dump, those of a table together: keys and indexes come last."""
    comments = [match for _, statement in entries if (match := _COMMENT.fullmatch(statement))]
    meanings = {match.group(1): match.group(2).replace("''", "'") for match in comments}
    groups: dict[str, list[str]] = {}
    for kind, statement in entries:
        match = _OBJECT.search(statement)
        if match and not _COMMENT.fullmatch(statement):
            group = groups.setdefault(match.group(1), [])
            group.append(_written(kind, statement, match.group(1), meanings))
    return list(groups.values())


def _written(kind: str, statement: str, name: str, meanings: dict[str, str]) -> str:
    """The statement; a table's comment stands above it, and a column's behind the column."""
    if kind not in ("TABLE", "VIEW"):
        return statement if "$" in statement else " ".join(statement.split())

    def with_meaning(line: re.Match[str]) -> str:
        meaning = meanings.get(f"{name}.{line.group(1)}")
        return line.group(0) + (f"  -- {meaning}" if meaning else "")

    above = f"-- {meanings[name]}\n" if name in meanings else ""
    return above + (_COLUMN.sub(with_meaning, statement) if kind == "TABLE" else statement)
