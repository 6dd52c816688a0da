"""The file of row errors behind a job's `errors_url`.

Nothing is documented about its layout, so there are three [I]; it is said to hold the addresses
and the reasons ("Unable to Upload Contacts via a CSV file", SendGrid support).
"""

from __future__ import annotations

import codecs
import csv
import io
import zlib
from typing import Any

import orjson

from local.sendgrid_emulator.model.settings import Settings
from local.sendgrid_emulator.model.spool import Spool

Sent = list[str] | dict[str, Any]  # the cells of a CSV row, or a contact of a JSON body
FLUSH_CHARACTERS = 1 << 16
COLUMNS = {  # of the layouts that name the identifier only
    "short": ["identifier", "reason"],
    "odd": [" Contact (E-Mail)", "Warum?"],
}


class ErrorsFile:
    """Rows and their reasons, in the layout chosen when the job began."""

    def __init__(self, columns: list[str], identifier: int, settings: Settings) -> None:
        """Begin a file; `identifier` is the column that identifies a row in the short layout."""
        self.layout = settings.errors_layout
        self.gzipped = settings.errors_gzip
        self.spool = Spool()
        self._columns = columns
        self._identifier = identifier
        self._rows = 0
        self._left_out = settings.errors_left_out
        self._upper = settings.errors_upper
        self._text = io.StringIO(newline="")
        self._csv = csv.writer(self._text, lineterminator="\n", delimiter=settings.errors_separator)
        self._encoder = codecs.getincrementalencoder(settings.errors_encoding)()
        self._gzip = zlib.compressobj(6, wbits=31) if self.gzipped else None
        if self.layout == "json":
            self._text.write("[")
        elif self.layout != "json_lines":
            self._csv.writerow(COLUMNS.get(self.layout) or [*columns, "error"])

    @property
    def media_type(self) -> str:
        """Return the Content-Type to serve the file with."""
        if self.gzipped:
            return "application/gzip"
        return "text/csv" if self._ending == "csv" else "application/json"

    @property
    def name(self) -> str:
        """Return the last part of the file's address."""
        return f"errors.{self._ending}{'.gz' if self.gzipped else ''}"

    @property
    def _ending(self) -> str:
        return {"json": "json", "json_lines": "jsonl"}.get(self.layout, "csv")

    def add(self, sent: Sent, reason: str) -> None:
        """Write one row, unless it is one of those to leave out."""
        if self._left_out:
            self._left_out -= 1
            return
        cells = list(sent) if isinstance(sent, list) else flat_cells(sent, self._columns)
        identifier = cells[self._identifier] if self._identifier < len(cells) else ""
        if self._upper and identifier:
            cells[self._identifier] = identifier = identifier.upper()
        if self.layout == "uploaded":
            self._csv.writerow([*cells, reason])
        elif self.layout in COLUMNS:
            self._csv.writerow([identifier, reason])
        else:
            record = orjson.dumps({"email": identifier, "errors": [reason]}).decode()
            mark = "," if self.layout == "json" else "\n"
            self._text.write(f"{mark if self._rows else ''}{record}")
        self._rows += 1
        if self._text.tell() > FLUSH_CHARACTERS:
            self._flush()

    def close(self) -> None:
        """Finish the file."""
        if self.layout == "json":
            self._text.write("]")
        self._flush()
        if self._gzip is not None:
            self.spool.write(self._gzip.flush())
        self.spool.done()

    def _flush(self) -> None:
        data = self._encoder.encode(self._text.getvalue())
        self._text.seek(0)
        self._text.truncate()
        self.spool.write(data if self._gzip is None else self._gzip.compress(data))


def flat_columns(contacts: list[dict[str, Any]]) -> list[str]:
    """Return the columns for the contacts of a JSON body: all of their keys, in order."""
    columns: dict[str, None] = {}
    for contact in contacts:
        columns.update(dict.fromkeys(contact))
        columns.update(dict.fromkeys(contact.get("custom_fields") or ()))
    columns.pop("custom_fields", None)
    return list(columns)


def flat_cells(contact: dict[str, Any], columns: list[str]) -> list[str]:
    """Return a contact of a JSON body as cells."""
    flat = {**contact, **(contact.get("custom_fields") or {})}
    return [cell_text(flat.get(column)) for column in columns]


def cell_text(value: object) -> str:
    """Return a JSON value as the text of a cell."""
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
