"""H02: a million refused contacts are read within 300 MB, whatever the file looks like."""

from __future__ import annotations

import gzip
import io
import json
import multiprocessing
import resource
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from contact_sync.base.vocabulary import Refusal, Refused
from contact_sync.contacts.refusals import MOST_WORDINGS, SCHEMA, Refusals
from contact_sync.sendgrid.errors_file import read_errors

SPAWNS = multiprocessing.get_context("spawn")
ROWS = 250_000
MOST_MEGABYTES = 40  # of the 300 for a million, which Python and its libraries are a part of


def rows(layout: str) -> Iterator[str]:
    """An errors file, piece by piece."""
    if layout == "table":
        yield "email,first_name,error\n"
    for number in range(ROWS):
        email, why = f"client{number}@example{number % 977}.com", f"row {number}: not valid"
        if layout == "table":
            yield f"{email},Zoë {number},{why}\n"
        else:
            mark = ("[" if number == 0 else ",") if layout == "list" else "\n"
            yield mark + json.dumps({"email": email, "errors": [{"message": why}]})
    yield "]" if layout == "list" else ""


def packed(layout: str) -> io.BytesIO:
    """The same as gzip."""
    file = io.BytesIO()
    with gzip.open(file, "wt", compresslevel=1, encoding="utf-8") as text:
        text.writelines(rows(layout))
    return file


def read(file: io.BytesIO, answer: Connection) -> None:
    """In a child process: how many are refused, and the megabytes that this took at its peak."""
    written(io.BytesIO(b"email,error\na@example.com,bad\n"))  # imports what it needs
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = written(file)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer.send((*found, (after - before) / 1e3))


def written(file: io.BytesIO) -> tuple[int, int]:
    """The entries of the file, and how many rows of the state database they become."""
    refused = Refusals(
        (email, Refused(Refusal.REFUSED_BY_SENDGRID, said)) for email, said in read_errors(file)
    )
    return len(refused), sum(batch.num_rows for batch in refused.record_batches())


@pytest.mark.parametrize("layout", ["table", "list", "lines"])
def test_H02_the_memory_of_an_errors_file_is_that_of_its_addresses(layout: str) -> None:
    """Each row has words of its own, which would be most of it."""
    here, there = SPAWNS.Pipe()
    child = SPAWNS.Process(target=read, args=(packed(layout), there))
    child.start()
    found, rows_written, megabytes = here.recv()
    child.join(60)
    assert (found, rows_written) == (ROWS, ROWS)
    assert megabytes < MOST_MEGABYTES


def test_H02_refusals_are_rows_of_the_state_database() -> None:
    """In their order, in blocks; beyond so many wordings without the detail."""
    reasons = [f"reason {n}" for n in range(MOST_WORDINGS + 5)]
    entries = [
        (f"c{n}@example.com", Refused(Refusal.REFUSED_BY_SENDGRID, said))
        for n, said in enumerate(reasons)
    ]
    refused = Refusals(entries)
    refused.add([("one@example.com", Refused(Refusal.IMPORT_FAILED))])
    (first, *_) = batches = list(refused.record_batches())
    assert first.schema == SCHEMA
    found = [row for batch in batches for row in batch.to_pylist()]
    assert [row["email"] for row in found] == list(refused.emails())
    assert len(found) == len(refused) == len(entries) + 1
    assert found[0] == {"email": "c0@example.com", "field": "contact",
                        "reason": "refused_by_sendgrid", "detail": "reason 0"}  # fmt: skip
    assert [row["detail"] for row in found[-6:]] == [None] * 6
    assert found[-1]["reason"] == "import_failed"
