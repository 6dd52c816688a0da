"""Read an uploaded CSV file the way SendGrid does.

Sources: API description (PUT contacts/imports), Formatting a CSV, java#692. The file is read twice:
first whole, because a file that does not fit fails before any effect and because duplicates are
removed; then piece by piece, to be applied.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from gzip import BadGzipFile
from itertools import islice
from typing import cast

from isal import isal_zlib

from local.sendgrid_emulator.jobs.attempts import (
    IDENTIFIER_SLOTS,
    PIECE_ROWS,
    Assignment,
    Attempt,
    Attempts,
    Unprocessable,
)
from local.sendgrid_emulator.model.fields import EMAIL, FieldDefinition
from local.sendgrid_emulator.model.settings import Settings
from local.sendgrid_emulator.model.spool import Spool, pieces
from local.sendgrid_emulator.model.values import Parser, field_parser

# The message that SendGrid mails to the account's administrators [K java#692].
MAPPING_MISMATCH = (
    "Failed to preprocess input csv: we were unable to upload your contacts because the field "
    "mapping doesn't match the CSV."
)
UNREADABLE = "Failed to preprocess input csv: the file is not a readable UTF-8 CSV."
POISONED = "internal error"  # [I]
STEP_ROWS = 20_000
BROKEN_FILE: tuple[type[Exception], ...] = (
    *(UnicodeDecodeError, csv.Error, EOFError),
    *(BadGzipFile, zlib.error, cast(type[Exception], isal_zlib.error)),  # its stub says instance
)


@dataclass(slots=True)
class Survey:
    """What the first reading found. Keys are hashes of identifiers, to keep a million small."""

    columns: list[str] = field(default_factory=list)
    contacts: int = 0  # different identifiers
    last_row: dict[int, int] = field(default_factory=dict)  # of those that come more than once


def count_lines(upload: Spool) -> int:
    """Return the number of lines below the header."""
    with readable(), upload.open_plain() as file:
        return max(0, sum(piece.count(b"\n") for piece in pieces(file)) - 1)


@contextmanager
def readable() -> Iterator[None]:
    """Turn what a broken file raises into the failure of its job."""
    try:
        yield
    except BROKEN_FILE as error:
        raise Unprocessable(UNREADABLE) from error


def rows_of(upload: Spool) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with their number, the header as row 0; empty lines are no rows."""
    text = io.TextIOWrapper(upload.open_plain(), encoding="utf-8", newline="")
    with text:
        number = 0
        for cells in csv.reader(text, strict=True):
            if cells:
                yield number, cells
                number += 1


def survey(
    upload: Spool, mapping: list[FieldDefinition | None], settings: Settings, found: Survey
) -> Iterator[int]:
    """Read the whole file once into `found`; raise Unprocessable when it fails as a whole.

    The number of columns has to equal the number of mappings [K API description, java#692]. It
    yields now and then, so that its reader can stop.
    """
    key_of = key_function(mapping)
    seen: set[int] = set()
    with readable():
        for number, cells in rows_of(upload):
            fits = len(cells) == len(mapping)
            if number == 0:
                found.columns = cells
            if not fits and (number == 0 or settings.ragged_rows == "fail"):
                raise Unprocessable(MAPPING_MISMATCH)
            key = key_of(cells) if fits else None
            if number == 0 or key is None:
                continue
            if key in seen:
                found.last_row[key] = number
            seen.add(key)
            if number % STEP_ROWS == 0:
                yield number
    check_poison(seen, settings)
    found.contacts = len(seen)
    if found.contacts > settings.max_import_contacts:
        raise Unprocessable(f"the file has more than {settings.max_import_contacts} contacts")


def check_poison(seen: set[int], settings: Settings) -> None:
    """Fail a file that holds an address which fails its job."""
    if any(hash(email) in seen for email in settings.poison_emails):
        raise Unprocessable(POISONED)


def key_function(mapping: list[FieldDefinition | None]) -> Callable[[list[str]], int | None]:
    """Return the function that gives a row's identity, or None when it has no identifier."""
    columns = [
        (column, definition.slot)
        for column, definition in enumerate(mapping)
        if definition is not None and definition.slot in IDENTIFIER_SLOTS
    ]
    columns.sort(key=lambda pair: pair[1])  # the address first

    def key(cells: list[str]) -> int | None:
        for column, slot in columns:
            if cells[column]:
                identifier = cells[column]
                return hash(identifier.lower() if slot == EMAIL else (slot, identifier))
        return None

    return key


def csv_attempts(
    upload: Spool, mapping: list[FieldDefinition | None], found: Survey, settings: Settings
) -> Attempts:
    """Yield the attempts of a file; rows without an identifier are left out [K]."""
    key_of = key_function(mapping)
    assign = csv_assigner(mapping, settings)
    keep_good_values = settings.row_error == "value"
    is_wanted = duplicate_filter(found, settings)

    def attempts() -> Iterator[Attempt]:
        for number, cells in islice(rows_of(upload), 1, None):
            if len(cells) != len(mapping):
                yield Attempt(cells, None, "wrong number of fields")
                continue
            key = key_of(cells)
            if key is not None and is_wanted(key, number):
                yield assign(cells).attempt(cells, keep_good_values=keep_good_values)

    stream = attempts()
    while piece := list(islice(stream, PIECE_ROWS)):
        yield piece


def duplicate_filter(found: Survey, settings: Settings) -> Callable[[int, int], bool]:
    """Return the function that says whether a row is the one that counts for its identifier."""
    if settings.duplicates == "last":
        return lambda key, number: found.last_row.get(key, number) == number
    done: set[int] = set()

    def is_first(key: int, _: int) -> bool:
        if key not in found.last_row:
            return True
        if key in done:
            return False
        done.add(key)
        return True

    return is_first


def csv_assigner(
    mapping: list[FieldDefinition | None], settings: Settings
) -> Callable[[list[str]], Assignment]:
    """Return the function that works out what a row sets."""
    plan: list[tuple[int, FieldDefinition, Parser, str]] = [
        (
            *(column, definition, field_parser(definition, settings, from_csv=True)),
            settings.cell_of(definition.kind),
        )
        for column, definition in enumerate(mapping)
        if definition is not None
    ]

    def assign(cells: list[str]) -> Assignment:
        assignment = Assignment([], [], [])
        for column, definition, parser, empty in plan:
            cell = cells[column]
            if cell:
                assignment.parse(definition.slot, parser, cell)
            elif empty == "clear":
                assignment.clear(definition.slot)
            elif empty == "error":
                assignment.errors.append(f"{definition.name} is empty")
        return assignment

    return assign
