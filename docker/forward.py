"""Forward TCP ports of 127.0.0.1 to another machine: `python -m docker.forward 8025:host:8025 …`.

For the profile demo of docker-compose.yaml: the product calls SendGrid over https, or on its own
machine, so the emulator in the container next door is brought to 127.0.0.1 of each worker.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial

HOST = "127.0.0.1"
CONNECT_SECONDS = 10.0
CHUNK = 1 << 16


async def forward(texts: list[str]) -> None:
    """Serve every PORT:HOST:PORT until cancelled. Raise ValueError for another text."""
    servers = []
    for text in texts:
        port, host, target = text.split(":")
        join = partial(connect, host=host, port=int(target))
        servers.append(await asyncio.start_server(join, HOST, int(port)))
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def connect(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, host: str, port: int
) -> None:
    """Join one client with the other machine until both have said everything."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            far_reader, far_writer = await asyncio.open_connection(host, port)
    except OSError as error:
        print(f"{host}:{port} does not answer: {error}", file=sys.stderr, flush=True)
        writer.close()
        return
    try:
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
    finally:
        far_writer.close()
        writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass one direction on to its end; when one side breaks off, so does the other."""
    try:
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
    except ConnectionError:
        writer.transport.abort()


if __name__ == "__main__":
    asyncio.run(forward(sys.argv[1:]))
