"""What the lists of clients share: addresses beside ids, as far as the viewer may see them, on a
page and in a file of any length.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import Any, Protocol, TypeVar

from fastapi.responses import StreamingResponse

from contact_sync.base.errors import SyncError, told_safely
from contact_sync.reporting.csv_export import csv_lines
from contact_sync.web.look_up import asking_b2core
from contact_sync.web.rendering import HEADERS
from contact_sync.web.seen_sync import SeenSync

log = logging.getLogger(__name__)
INCOMPLETE = "INCOMPLETE"
"""In place of an id in the last row of a file that couldn't be finished."""


class Ending(StrEnum):
    """The forms of a file, by the ending of its name."""

    CSV = "csv"
    PARQUET = "parquet"


MEDIA_TYPES = {
    Ending.CSV: "text/csv; charset=utf-8", Ending.PARQUET: "application/vnd.apache.parquet",
}  # fmt: skip


class OfClient(Protocol):
    """A row of such a list."""

    @property
    def client_id(self) -> int:
        """Whose it is."""

    @property
    def client_key(self) -> str | None:
        """What B2CORE calls the client, if it is given."""


Row = TypeVar("Row", bound=OfClient)


def addresses(name: str, ids: list[int]) -> tuple[dict[int, str], str]:
    """The clients' addresses in B2CORE now; or {} and why it can't be asked."""
    if not ids:
        return {}, ""
    try:
        return _read(name, ids), ""
    except SyncError as error:
        log.warning("Addresses of listed clients aren't shown: %s", error)
        return {}, str(error)


def client_file(
    sync: SeenSync,
    title: str,
    ending: Ending,
    columns: Sequence[str],
    chunks: Iterator[list[Row]],
    cells: Callable[[Row], Sequence[Any]],
) -> StreamingResponse:
    """All rows, streamed: the client's id and key, its address for who may see it, then `cells`,
    whose titles are `columns`. In Parquet a row group is a chunk, and all but the id are texts."""
    written = _csv if ending is Ending.CSV else _parquet
    names = ["client_id", "client_key", *["email"] * sync.sees_addresses, *columns]
    pieces = written(sync.name, names, (_table(sync, rows, cells) for rows in chunks))
    first = next(pieces)  # what goes wrong at once is an answer of its own
    named = {"Content-Disposition": f'attachment; filename="{title}-{sync.name}.{ending}"'}
    return StreamingResponse(
        chain([first], pieces), media_type=MEDIA_TYPES[ending], headers={**HEADERS, **named}
    )


def _table(
    sync: SeenSync, rows: list[Row], cells: Callable[[Row], Sequence[Any]]
) -> list[list[Any]]:
    found: dict[int, str] = {}
    if sync.sees_addresses:
        found = _read(sync.name, [row.client_id for row in rows])
    own = [[found.get(row.client_id)] if sync.sees_addresses else [] for row in rows]
    return [
        [row.client_id, row.client_key, *address, *cells(row)]
        for row, address in zip(rows, own, strict=True)
    ]


def _csv(name: str, columns: list[str], tables: Iterator[list[list[Any]]]) -> Iterator[bytes]:
    """The header with the first rows, then the others, in pieces of bounded size. What goes wrong
    after the first piece is said in the last row, because the answer's status is out already."""
    header = csv_lines([columns])
    is_begun = False
    try:
        for table in tables:
            yield (b"" if is_begun else header) + csv_lines(table)
            is_begun = True
    except Exception as error:
        if not is_begun:
            raise
        told = told_safely(error)
        log.warning("A file of sync %r ends too early: %s", name, told)
        yield csv_lines([(INCOMPLETE, f"rows are missing: {told}", *[""] * (len(columns) - 2))])
        return
    if not is_begun:
        yield header


def _read(name: str, ids: list[int]) -> dict[int, str]:
    from contact_sync.lookup.find_clients import addresses_of

    with asking_b2core(name) as opened:
        return addresses_of(opened, list(dict.fromkeys(ids)))


def _parquet(_name: str, columns: list[str], tables: Iterator[list[list[Any]]]) -> Iterator[bytes]:
    """A row group a table. A file that can't be finished has no end, which every reader refuses."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, pa.string() if i else pa.int64()) for i, name in enumerate(columns)])
    sink = _Pieces()
    with parquet.ParquetWriter(sink, schema) as writer:
        yield sink.taken()
        for table in tables:
            arrays = [
                pa.array(_texts(c) if i else c, f.type)
                for i, (c, f) in enumerate(zip(zip(*table, strict=True), schema, strict=True))
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _texts(cells: Sequence[Any]) -> list[str | None]:
    return [None if cell is None else str(cell) for cell in cells]


class _Pieces(io.RawIOBase):
    """What is written, to be taken away piece by piece."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """How many bytes have been written so far."""
        return self._written

    def write(self, data: Any) -> int:
        """Keep the bytes until they are taken."""
        piece = bytes(data)
        self._waiting.append(piece)
        self._written += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last time."""
        taken, self._waiting = b"".join(self._waiting), []
        return taken
