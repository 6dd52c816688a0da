"""Arrow tables as compressed bytes, for columns that PostgreSQL need not look into."""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def packed(table: pa.Table) -> bytes:
    """An Arrow stream, compressed because PostgreSQL else tries to, a hundred times slower."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    buffer: Any = sink.getvalue()
    return bytes(buffer)


def unpacked(content: bytes | pa.Buffer, *names: str) -> pa.Table:
    """The table; of its columns only these, in the stream's order, if any are named."""
    options = pa.ipc.IpcReadOptions()
    if names:
        with pa.ipc.open_stream(content) as reader:
            options.included_fields = [reader.schema.get_field_index(name) for name in names]
    with pa.ipc.open_stream(content, options=options) as reader:
        return reader.read_all()
