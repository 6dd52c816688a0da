"""G10: nothing personal and no secret in logs, exceptions, the state database or Airflow's.

All tests use the same kinds of clients and one key, which nothing else resembles: canaries. A
handler reads what the package and its libraries log, at DEBUG; every exception of the package is
read when it is made; the state database is read after each test that had a world.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from contact_sync.base.errors import SyncError
from tests.support import connections

CANARIES = {
    "@": r"@(?<=[\w.+'-]@)(?:[\w-]+\.)+[a-z]{2,}",  # an address
    "4179": r"(?<![\d-])4179\d{7}(?!\d)",  # a phone; longer numbers are hashes
    "zoë": "zoë",
    r"zo\u00eb": r"zo\\u00eb",
    "zürich": "zürich",
    "genève": "genève",
    "weg ": r"\bweg \d",  # a street
    "sg.": r"sg\.[\w-]{10,}",  # an API key
    "canary-hash-key": "canary-hash-key",
    "signature=": "signature=",  # a signed URL
}
"""What each of them contains, in lower case → what it looks like. To look for a text first is a
hundred times quicker, and after many a test megabytes are read."""
PATTERNS = {part: re.compile(pattern) for part, pattern in CANARIES.items()}
SHOWN = 30  # characters before a hit
OURS = (
    "contact_sync", "alembic", "tenacity", "adbc_driver_manager", "adbc_driver_postgresql",
)  # fmt: skip
SHARED = ("urllib3", "requests")
"""The tests call through them too: at the level that the package sets, not at DEBUG."""

LOGGERS = (*OURS, *SHARED)
MAY_HOLD_AN_ADDRESS = {
    "erasure_address": ["email"],
    "finding": ["email"],
    "ledger": ["email"],
    "move": ["former", "email", "belongings"],
    "outbox": ["email", "payload"],
    "outbox_block": ["content"],
    "removal": ["email"],
    "suppression": ["email"],
    "suppression_due": ["email"],
    "verify_contact": ["email"],
    "verify_proof": ["email"],
    "slice": ["members"],
}
"""Columns of the state database that are for personal data; nothing else may hold any."""


class Hits:
    """What was found since it was last asked, as "where: what"."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def scan(self, where: str, text: str) -> None:
        """Note every canary of the text, with the test that runs."""
        text = text.lower()
        for part, pattern in PATTERNS.items():
            for found in pattern.finditer(text) if part in text else ():
                shown = text[max(0, found.start() - SHOWN) : found.end()]
                test = os.environ.get("PYTEST_CURRENT_TEST", "no test")
                self._found.append(f"{where}: {shown!r} in {test}")

    def take(self) -> list[str]:
        """The hits, once."""
        found, self._found = self._found, []
        return found


hits = Hits()
_read: dict[Path, tuple[int, int]] = {}
"""When each file was written that has been read, in ns, and how long it was."""


class _Scanner(logging.Handler):
    """Reads every record as it would be written, traceback included."""

    def emit(self, record: logging.LogRecord) -> None:
        """Scan one record."""
        hits.scan(f"log of {record.name}", self.format(record))


@contextmanager
def watching() -> Iterator[None]:
    """Watch logs and exceptions; raises AssertionError for what no test was blamed for."""
    scanner = _Scanner(logging.DEBUG)
    scanner.setFormatter(logging.Formatter("%(message)s"))
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addHandler(scanner)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    plain = SyncError.__init__

    def watched(error: SyncError, *args: object) -> None:
        plain(error, *args)
        hits.scan(f"text of a {type(error).__name__}", str(error))

    SyncError.__init__ = watched  # type: ignore[method-assign, assignment]
    yield
    SyncError.__init__ = plain  # type: ignore[method-assign]
    for logger in loggers:
        logger.removeHandler(scanner)
    assert hits.take() == []


def scan_state(url: str) -> None:
    """Read the state database, without the columns that are for addresses."""
    scan_database(url, "contact_sync", MAY_HOLD_AN_ADDRESS)


def scan_database(url: str, schema: str, private: dict[str, list[str]] | None = None) -> int:
    """Read every table of a schema, without the private columns; returns how many tables."""
    with connections.connection(url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema]
        ).fetchall()
        each = sql.SQL(
            "SELECT {name}, coalesce(string_agg((to_jsonb(t) - {private}::text[])::text, ' '), '')"
            " FROM {table} AS t"
        )
        query = sql.SQL(" UNION ALL ").join(
            each.format(
                name=table,
                private=(private or {}).get(table, []),
                table=sql.Identifier(schema, table),
            )
            for (table,) in tables
        )
        for table, text in connection.execute(query).fetchall() if tables else ():
            hits.scan(f"table {table}", text)
    return len(tables)


def scan_files(folder: Path, pattern: str = "*") -> int:
    """Read files as they are, databases too, save those that are still as they were when they were
    last read: Airflow's logs grow with each test. Returns how many there are."""
    files = [path for path in folder.rglob(pattern) if path.is_file()]
    for path in files:
        status = path.stat()
        written = (status.st_mtime_ns, status.st_size)
        if _read.get(path) != written:
            _read[path] = written
            hits.scan(f"file {path.name}", _content(path).decode("utf-8", "replace"))
    return len(files)


def _content(path: Path) -> bytes:
    """A file's bytes. SQLite's files are read by another process: to close one here would end this
    process's locks on it (fcntl(2)), and the next process to close the database would take itself
    for the last one and delete the log into which our connections go on writing.
    """
    if ".db" not in path.suffix:
        return path.read_bytes()
    return subprocess.run(["cat", str(path)], check=True, capture_output=True).stdout
