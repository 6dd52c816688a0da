"""The statements of one source: files in `include/sql/<source>/`, with named parameters.

A statement is used inside a larger one, so it is a single SELECT without a semicolon. Its
parameters are written `%(name)s`; anything else in it is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import xxhash

from contact_sync.base.errors import ConfigError
from contact_sync.postgres.literals import literal

PARAMETERS = {
    "clients": {"first_id", "last_id", "ids"},
    "scan": set[str](),
    "changed_xmin": {"horizon"},
    "changed_updated_at": {"since"},
    "explain": {"client_id"},
}
"""Statement → the parameters that it is given; include/sql/b2core/README.md."""
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
NOT_CODE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
"""Comments and texts of a statement that is written as most are."""
_UNFINISHED = re.compile(r"%\(\w*\)?(?!\w*\)s)|%s\b")


def read_statement(folder: Path, name: str) -> str:
    """A statement's text. Raises ConfigError when there is none, or it isn't text."""
    where = f"include/sql/{folder.name}/{name}.sql"
    try:
        text = (folder / f"{name}.sql").read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{where} is missing") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{where} is not UTF-8: save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{where} can't be read: {error.strerror}") from None
    if "\0" in text:
        raise ConfigError(f"{where} holds NUL characters: save it as UTF-8")
    return text


def texts_hash(folder: Path, *names: str) -> str:
    """A hash of some statements, as they stand in the folder."""
    texts = [read_statement(folder, name) for name in names]
    return xxhash.xxh3_64_hexdigest("\0".join(texts).encode())


def filled(text: str, name: str, parameters: dict[str, Any]) -> str:
    """The statement with its parameters as SQL literals. Raises ConfigError for an unknown one."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in parameters:
            raise ConfigError(f"{name}.sql: {_unknown(match[1], name)}")
        return literal(parameters[match[1]])

    return _PLACEHOLDER.sub(value, text)


def refuse_same_names(columns: Sequence[str], name: str) -> None:
    """Raise ConfigError when a statement gives several columns of one name: which of them is meant
    nobody knows."""
    if again := sorted({column for column in columns if columns.count(column) > 1}):
        raise ConfigError(
            f"{name}.sql gives several columns named {', '.join(again)}: keep one of each name"
        )


@lru_cache(maxsize=32)
def problems(text: str, name: str) -> tuple[str, ...]:
    """What is seen to be wrong with a statement without asking PostgreSQL, each with its fix."""
    return () if _is_sound(text, name) else tuple(_told(text, name))


def _is_sound(text: str, name: str) -> bool:
    """Whether there is nothing to tell, by a look that takes none of sqlparse's 0.1 s; False = it
    has to look."""
    code = NOT_CODE.sub(" ", text)
    given = set(_PLACEHOLDER.findall(text))
    used = {p for p in PARAMETERS[name] if f"%({p})s" in code}
    return (
        given <= PARAMETERS[name]
        and (used == PARAMETERS[name] or name != "clients")
        and not any(part in code for part in (";", "/*", "*/"))  # a comment's end alone, too
        and "%" not in _PLACEHOLDER.sub("", code)
        and bool(code.strip())
    )


def _told(text: str, name: str) -> Iterator[str]:
    import sqlparse  # only for a statement that something may be wrong with: see above

    yield from (_unknown(p, name) for p in dict.fromkeys(_PLACEHOLDER.findall(text))
                if p not in PARAMETERS[name])  # fmt: skip
    code = _code(text)
    if _UNFINISHED.search(_PLACEHOLDER.sub("", code)):
        yield "it has a placeholder that isn't complete: write %(name)s"
    statements = [part for part in sqlparse.split(text) if _code(part).strip(" \t\r\n;")]
    if not statements:
        yield "it holds no statement"
    elif len(statements) > 1:
        yield f"it holds {len(statements)} statements: keep one SELECT"
    elif ";" in code:
        yield "it ends with a semicolon, but is used inside a larger statement: delete it"
    missing = sorted(p for p in PARAMETERS[name] if f"%({p})s" not in code)
    if statements and missing and name == "clients":
        yield (
            f"it doesn't use {', '.join(f'%({p})s' for p in missing)}: copy the condition from "
            f"include/sql/b2core/{name}.sql"
        )


def _unknown(parameter: str, name: str) -> str:
    given = ", ".join(f"%({p})s" for p in sorted(PARAMETERS[name])) or "none"
    return f"it has the placeholder %({parameter})s, which nothing fills; there is {given}"


def _code(text: str) -> str:
    """The text without comments and without what stands in quotes."""
    from sqlparse import lexer, tokens

    skipped = (tokens.Comment, tokens.Literal)
    read = lexer.tokenize(text)  # type: ignore[no-untyped-call]
    return "".join(value for kind, value in read if not any(kind in group for group in skipped))
