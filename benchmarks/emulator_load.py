"""Load the SendGrid emulator with one large CSV import and report time, memory and answer times.

`python -m benchmarks.emulator_load [--rows 1000000] [--store-only] [--empty-cell keep]`

The emulator has to take a million contacts in less than 60 s and 2 GB on two cores, and to answer
meanwhile. The file has 14 columns, as a sync of clients with custom fields has.
"""

from __future__ import annotations

import argparse
import io
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil
import requests
from isal import igzip

from local.sendgrid_emulator.process import Emulator, start_emulator

API_KEY = "SG.benchmark"
RESERVED = [
    *("_rf2_T", "_rf0_T", "_rf1_T", "_rf4_T", "_rf6_T", "_rf7_T"),
    *("_rf8_T", "_rf9_T", "_rf10_T"),
]
CUSTOM = [
    *(("client_id", "Text"), ("status", "Text"), ("level", "Text")),
    *(("balance", "Number"), ("registered", "Date")),
]
TIMEOUT_SECONDS = 600


@dataclass(slots=True)
class Answers:
    """How long the status took to be answered while the import ran, in seconds."""

    times: list[float] = field(default_factory=list)

    def percentile(self, percent: float) -> float:
        """Return the time within which so many answers came."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def client_file(rows: int) -> bytes:
    """Return a gzip CSV of different clients, with the values' shapes of real ones."""
    buffer = io.BytesIO()
    with igzip.open(buffer, "wb", compresslevel=1) as file:
        file.write(b"email,first,last,address,city,state,zip,country,phone,id,status,level,n,d\n")
        for start in range(0, rows, 10_000):
            lines = (client_line(number) for number in range(start, min(start + 10_000, rows)))
            file.write("".join(lines).encode())
    return buffer.getvalue()


def client_line(number: int) -> str:
    """Return the row of one client; a quarter has no address."""
    address = f"{number % 997} Example Street" if number % 4 else ""
    return (
        f"client.{number}@example{number % 50}.com,First{number % 5003},Last{number % 50021},"
        f"{address},City {number % 2000},Region {number % 90},{number % 99999:05d},"
        f"Country {number % 190},+1555{number:07d},{1_000_000 + number},"
        f"{('Active', 'Inactive', 'Banned')[number % 3]},Level {number % 6},"
        f"{number % 100_000}.{number % 100:02d},{1 + number % 12:02d}/{1 + number % 28:02d}/2021\n"
    )


def import_file(emulator: Emulator, session: requests.Session, data: IO[bytes]) -> str:
    """Create an import, upload the file and return the job's id."""
    fields = [emulator.admin.create_field(name, kind) for name, kind in CUSTOM]
    body = {
        "file_type": "csv",
        "list_ids": [emulator.admin.create_list("clients")],
        "field_mappings": RESERVED + fields,
    }
    url = f"{emulator.base_url}/v3/marketing/contacts/imports"
    created = session.put(url, json=body, timeout=30)
    created.raise_for_status()
    headers = {item["header"]: item["value"] for item in created.json()["upload_headers"]}
    uploaded = requests.put(created.json()["upload_uri"], data=data, headers=headers, timeout=600)
    uploaded.raise_for_status()
    return str(created.json()["job_id"])


def wait_for_job(emulator: Emulator, session: requests.Session, job_id: str) -> Answers:
    """Ask for the status until it is terminal, and note how long each answer took."""
    answers = Answers()
    url = f"{emulator.base_url}/v3/marketing/contacts/imports/{job_id}"
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        asked = time.perf_counter()
        job = session.get(url, timeout=60).json()
        answers.times.append(time.perf_counter() - asked)
        if job["status"] != "pending":
            print("job:", job["status"], job["results"])
            return answers
        time.sleep(0.05)
    raise TimeoutError(f"the import did not end within {TIMEOUT_SECONDS} s")


def main() -> None:
    """Run the import and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--empty-cell", choices=("keep", "clear"), default="keep")
    parser.add_argument("--store-only", action="store_true")
    options = parser.parse_args()
    data = client_file(options.rows)
    print(f"file: {options.rows} rows, {len(data) / 1e6:.0f} MB gzip")
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {API_KEY}"
    settings = {"store_only": options.store_only}
    with start_emulator(
        api_key=API_KEY, empty_cell=options.empty_cell, delay=0, settings=settings
    ) as emulator:
        process = psutil.Process(emulator.pid)
        started = time.perf_counter()
        job_id = import_file(emulator, session, io.BytesIO(data))
        uploaded = time.perf_counter()
        answers = wait_for_job(emulator, session, job_id)
        ended = time.perf_counter()
        print(f"upload: {uploaded - started:.1f} s, import: {ended - uploaded:.1f} s")
        print(
            f"status answers meanwhile: {len(answers.times)}, median "
            f"{answers.percentile(50) * 1000:.0f} ms, 99% {answers.percentile(99) * 1000:.0f} ms, "
            f"longest {max(answers.times) * 1000:.0f} ms"
        )
        started = time.perf_counter()
        count = sum(1 for _ in emulator.admin.iter_contacts())
        print(f"admin.iter_contacts: {count} in {time.perf_counter() - started:.1f} s")
        memory = process.memory_info().rss / 1e9
        print(f"memory: {memory:.2f} GB, at most {peak_gigabytes(process.pid):.2f} GB")


def peak_gigabytes(pid: int) -> float:
    """Return the most memory a process ever had, as Linux counts it."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    line = next(item for item in lines if item.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e9


if __name__ == "__main__":
    main()
