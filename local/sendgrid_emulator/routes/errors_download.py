"""The errors file as it is served: whole, or spoilt the way the settings say.

Spoilt files are made in memory, when they are asked for; the kept file stays as it is.
"""

from __future__ import annotations

import gzip
from functools import lru_cache

from local.sendgrid_emulator.model.errors_file import ErrorsFile
from local.sendgrid_emulator.model.settings import Settings

BOMB_BYTES = 100_000_000
WIDE_COLUMNS = 100_000
NOT_UTF8 = b"\xff\xfe"


def spoilt(errors: ErrorsFile, settings: Settings) -> bytes:
    """Return the spoilt file."""
    kind = settings.errors_file
    with errors.spool.open_plain() as file:
        plain = file.read()
    if kind == "bomb":
        return gzip.compress(plain) + bomb()
    if kind == "wide":
        plain = widened(plain, as_json=errors.layout == "json")
    elif kind == "not_utf8":
        plain = plain[:-1] + NOT_UTF8 + plain[-1:]  # in the last reason
    data = gzip.compress(plain) if errors.gzipped else plain
    return data[: len(data) * 2 // 3] if kind == "truncated" else data


@lru_cache(maxsize=1)
def bomb() -> bytes:
    """Return 97 kB of gzip that unpack to 100 MB of spaces; gzip files can be joined."""
    return gzip.compress(b" " * BOMB_BYTES)


def widened(plain: bytes, *, as_json: bool) -> bytes:
    """Return a file with many more columns in its header, or more keys in its last record."""
    if as_json:
        keys = b"".join(b',"c%d":""' % number for number in range(WIDE_COLUMNS))
        return plain.removesuffix(b"}]") + keys + b"}]"
    header, rest = plain.split(b"\n", 1)
    names = b"".join(b",c%d" % number for number in range(WIDE_COLUMNS))
    return b"\n".join([header + names, rest])
