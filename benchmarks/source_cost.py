"""What a run costs B2CORE: every statement of include/sql/b2core under EXPLAIN (ANALYZE, BUFFERS).

python -m benchmarks.source_cost [--clients 1000000]

Generates clients in a private PostgreSQL and runs the statements as the product does: as the role
contact_sync_reader, in its read-only transaction with its settings. The times are the server's,
with making the rows ready to be sent (SERIALIZE) and without sending them: wall seconds, and CPU
seconds of all its processes, which other load on the machine changes little. Prints a table and
writes benchmarks/results/source_cost.json.
"""

# a script that prints what it measured
from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
import psycopg

from contact_sync.b2core.reader import B2Core, Snapshot
from contact_sync.base.paths import INCLUDE
from contact_sync.postgres import arrow_reader
from local.b2core_demo import READER, create_reader, create_schema, generate
from local.postgres.server import temporary_cluster

RESULTS = Path(__file__).parent / "results" / "source_cost.json"
SLICE = 250_000  # the definition's default tuning.slice_clients
TIMES = 3
PASSWORD = "only for this benchmark"
PAGE_MB = 8192 / 1e6
EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SERIALIZE BINARY, FORMAT JSON) "


@dataclass(frozen=True, slots=True)
class Cost:
    """What a statement cost: seconds (medians) and megabytes of pages, read and temporary."""

    what: str
    statement: str
    times_a_run: str
    rows: int
    seconds: float
    cpu_seconds: float
    pages_mb: float
    temp_mb: float


def main() -> int:
    """Generate the clients, measure, print and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=1_000_000, help="default: %(default)s")
    clients = parser.parse_args().clients
    with temporary_cluster() as cluster:
        url = cluster.create_database("b2core")
        create_schema(url)
        create_reader(url, PASSWORD)
        generate(url, clients=clients)
        reader = cluster.url("b2core", user=READER, password=PASSWORD)
        b2core = B2Core(reader, INCLUDE / "sql" / "b2core", 600)
        pid_file = cluster.directory / "data" / "postmaster.pid"
        server = psutil.Process(int(pid_file.read_text(encoding="ascii").split()[0]))
        costs = list(measure(b2core, server, url, clients))
    print(table(costs, clients))
    RESULTS.parent.mkdir(exist_ok=True)
    found = {"clients": clients, "load": os.getloadavg()[1], "costs": [asdict(c) for c in costs]}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(b2core: B2Core, server: psutil.Process, url: str, clients: int) -> Iterator[Cost]:
    """Yield the cost of each statement, first with nothing changed, then with 1 % changed."""
    with b2core.snapshot() as snapshot:
        cost = Measuring(snapshot, server)
        horizon = {"horizon": str(int(snapshot.position().horizon) % 2**32)}
        yield cost("all ids and addresses", "1", "scan", {})
        yield cost("who changed: nobody", "1", "changed_xmin", horizon)
        yield cost("who changed, by time", "1", "changed_updated_at", {"since": datetime.now(UTC)})
        yield cost("a slice of a full run", "clients / 250,000", "clients", bounds(1, SLICE))
        for share in (0.01, 0.0001):
            ids = np.arange(1, clients + 1, int(1 / share), dtype=np.int64)
            given = bounds(1, clients) | {"ids": ids}
            yield cost(f"{len(ids):,} changed clients", "1", "clients", given)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE b2core.clients SET first_name = 'New' WHERE id % 100 = 0")
    with b2core.snapshot() as snapshot:
        yield Measuring(snapshot, server)("who changed: 1 %", "1", "changed_xmin", horizon)


def bounds(first_id: int, last_id: int) -> dict[str, Any]:
    """Return the parameters of clients.sql for everyone in a range."""
    return {"first_id": first_id, "last_id": last_id, "ids": None}


@dataclass(frozen=True, slots=True)
class Measuring:
    """Runs statements in a snapshot and reads the server's numbers."""

    snapshot: Snapshot
    server: psutil.Process

    def __call__(self, what: str, times: str, name: str, parameters: dict[str, Any]) -> Cost:
        """Run a statement some times, after once to warm up, and return what it cost."""
        sql = EXPLAIN + self.snapshot._sql(name, parameters)  # the product's own rendering
        plan = explain(self.snapshot, sql)["Plan"]
        seconds, cpu = [], []
        for _ in range(TIMES):
            before = cpu_of(self.server)
            seconds.append(float(explain(self.snapshot, sql)["Execution Time"]) / 1000)
            cpu.append(cpu_of(self.server) - before)
        pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return Cost(
            what=what,
            statement=name,
            times_a_run=times,
            rows=int(plan["Actual Rows"]),
            seconds=round(median(seconds), 3),
            cpu_seconds=round(median(cpu), 3),
            pages_mb=round(pages * PAGE_MB, 1),
            temp_mb=round(plan["Temp Written Blocks"] * PAGE_MB, 1),
        )


def cpu_of(server: psutil.Process) -> float:
    """Return the CPU seconds of a PostgreSQL so far, those of ended processes included."""
    own = server.cpu_times()
    living = [process.cpu_times() for process in server.children()]
    ended = own.children_user + own.children_system
    return float(ended + sum(t.user + t.system for t in (own, *living)))


def explain(snapshot: Snapshot, sql: str) -> dict[str, Any]:
    """Return one plan with its actual numbers."""
    rows = arrow_reader.table(snapshot.connection, sql, "B2CORE", is_query=False)
    (plan,) = json.loads("\n".join(map(str, rows.column(0).to_pylist())))
    return dict(plan)


def table(costs: list[Cost], clients: int) -> str:
    """Return the costs as a Markdown table."""
    head = ("what", "statement", "times a run", "rows", "seconds", "CPU s", "pages MB", "temp MB")
    rows = [
        (c.what, f"{c.statement}.sql", c.times_a_run, f"{c.rows:,}", f"{c.seconds:.2f}",
         f"{c.cpu_seconds:.2f}", f"{c.pages_mb:,.0f}", f"{c.temp_mb:,.0f}")
        for c in costs
    ]  # fmt: skip
    rule = ("---",) * 3 + ("---:",) * 5
    lines = [f"{clients:,} clients", "", *(f"| {' | '.join(row)} |" for row in (head, rule, *rows))]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
