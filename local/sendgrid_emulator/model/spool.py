"""Files without a name: uploads and error files, kept on disk and gone with the process.

Even a killed emulator leaves nothing behind. Each opening reads from a position of its own, so a
test may fetch an upload while the job reads it.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from isal import igzip

GZIP_MAGIC = b"\x1f\x8b"
PIECE_BYTES = 1 << 18


class Spool:
    """One file, written once and then read any number of times."""

    def __init__(self) -> None:
        """Create the file."""
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as we do
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append to the file."""
        self._file.write(data)
        self.size += len(data)

    def done(self) -> None:
        """Make everything written readable."""
        self._file.flush()

    def open(self) -> io.BufferedReader:
        """Open the file at its start."""
        return io.BufferedReader(_Reader(self, self._file.fileno()), PIECE_BYTES)

    def open_plain(self) -> IO[bytes]:
        """Open the file, decompressed if it is gzip: told by its content [K StrongGrid]."""
        raw = self.open()
        if raw.peek(2)[:2] != GZIP_MAGIC:
            return raw
        plain: IO[bytes] = io.BufferedReader(igzip.IGzipFile(fileobj=raw, mode="rb"), PIECE_BYTES)
        return plain


class _Reader(io.RawIOBase):
    """Reads a file by position, and keeps its spool from being closed meanwhile."""

    def __init__(self, spool: Spool, descriptor: int) -> None:
        self._spool = spool
        self._descriptor = descriptor
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = os.pread(self._descriptor, len(buffer), self._position)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file piece by piece."""
    while piece := file.read(PIECE_BYTES):
        yield piece
