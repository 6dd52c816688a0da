"""How long the pages in Airflow's UI take when the ledger holds a million clients.

python -m benchmarks.page_cost [--clients 1000000]

Starts the real system, lets the scheduler do a small first load, then fills the state database by
SQL: clients in the ledger (2 % rejected, 0.1 % pending), values that don't fit of every tenth,
changes of a large run, contacts to be removed, runs of two years, a run with 200 jobs, and 99
more syncs with runs of their own, so that the page of all syncs has 100.
Asks each page over HTTP, as a browser with a login does. Prints a table and writes
benchmarks/results/page_cost.json. Add a page to `pages`.
"""

# a script that prints what it measured
from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from urllib.parse import quote

import psycopg
import requests
import yaml

from local.airflow_stack.settings import LOGIN, PASSWORD
from local.demo.sync import DAG_ID, SYNC
from local.stack.console import Console, run_until_ended
from local.stack.databases import STATE
from local.stack.directory import ROOT, StackError
from local.stack.runs import wait
from local.stack.system import Stack

RESULTS = Path(__file__).parent / "results" / "page_cost.json"
LIMIT_SECONDS = 0.3  # what the project promises for each page
LOADED, RUNS, JOBS, TIMES, SYNCS, RUNS_EACH, CHANGES = 500, 50_000, 200, 30, 100, 200, 50_000
RUN_SECONDS = 300.0

FILL = (
    """INSERT INTO contact_sync.ledger
           (sync_id, client_id, state, email_hash, email, contact_hash, row_hash, field, reason,
            rejected_since)
       SELECT s.sync_id, 1000000 + n,
              CASE WHEN n %% 50 = 0 THEN 'rejected' WHEN n %% 1000 = 1 THEN 'pending'
                   ELSE 'confirmed' END,
              hashint8extended(n, 0), 'client' || n || '@example.com', hashint8extended(n, 0),
              CASE WHEN n %% 1000 <> 1 THEN n END,
              CASE WHEN n %% 50 = 0 THEN 'email' END,
              CASE WHEN n %% 50 = 0 THEN (ARRAY['invalid', 'missing', 'too_long'])[n / 50 %% 3 + 1]
                   WHEN n %% 1000 = 1 THEN 'fate_unknown' END,
              CASE WHEN n %% 50 = 0 THEN now() END
       FROM contact_sync.sync AS s, generate_series(1, %(clients)s) AS n""",
    """INSERT INTO contact_sync.run
           (sync_id, epoch, kind, state, holder, definition_hash, plan, result, snapshot,
            started_at, finished_at)
       SELECT r.sync_id, r.epoch, 'incremental', 'succeeded',
              'DAG run contact_sync_demo scheduled__' || n || ', started ' || now(), '', r.plan,
              r.result, r.snapshot, now() - n * interval '20 minutes',
              now() - n * interval '20 minutes' + interval '1 minute'
       FROM contact_sync.run AS r, generate_series(%(runs)s, 1, -1) AS n
       WHERE r.run_id = (SELECT max(run_id) FROM contact_sync.run)""",
    """UPDATE contact_sync.run SET plan = jsonb_set(plan, '{rejections}',
           '{"email: invalid": 6667, "email: missing": 6667, "email: too_long": 6666}')""",
    """INSERT INTO contact_sync.batch
           (run_id, sync_id, lane, state, contacts, job_id, job_status, submitted_at, settled_at)
       SELECT r.run_id, r.sync_id, 'csv', 'settled', 50000, gen_random_uuid(), 'completed', now(),
              now()
       FROM contact_sync.run AS r, generate_series(1, %(jobs)s)
       WHERE r.reason = 'first load'""",
    """WITH made AS (
           INSERT INTO contact_sync.sync (name, watermark)
           SELECT 'sync_' || n, s.watermark
           FROM contact_sync.sync AS s, generate_series(2, %(syncs)s) AS n RETURNING sync_id
       )
       INSERT INTO contact_sync.run
           (sync_id, epoch, kind, state, holder, definition_hash, plan, result, snapshot,
            started_at, finished_at)
       SELECT made.sync_id, r.epoch, r.kind, CASE WHEN n %% 9 = 0 THEN 'failed' ELSE r.state END,
              r.holder, '', r.plan, r.result, r.snapshot, r.started_at, r.finished_at
       FROM contact_sync.run AS r, made, generate_series(1, %(runs_each)s) AS n
       WHERE r.run_id = (SELECT max(run_id) FROM contact_sync.run)""",
    """INSERT INTO contact_sync.dropped_value (sync_id, client_id, field, reason, since)
       SELECT s.sync_id, 1000000 + n, 'phone_number',
              (ARRAY['no_number', 'too_long'])[n %% 2 + 1], now()
       FROM contact_sync.sync AS s, generate_series(1, %(clients)s, 10) AS n
       WHERE s.name = %(sync)s""",
    """INSERT INTO contact_sync.change (run_id, sync_id, client_id, kind, fields, reason)
       SELECT r.run_id, r.sync_id, 1000000 + n, k.kind, CASE WHEN k.kind = 'changed' THEN 3 END,
              CASE WHEN k.kind = 'removed' THEN 'gone' END
       FROM contact_sync.run AS r, generate_series(1, %(changes)s) AS n,
            unnest(ARRAY['new', 'changed', 'moved', 'absent', 'removed']) AS k (kind)
       WHERE r.reason = 'first load'""",
    """INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why)
       SELECT s.sync_id, 'gone' || n || '@example.com', n, 1000000 + n, 'gone'
       FROM contact_sync.sync AS s, generate_series(1, %(changes)s) AS n
       WHERE s.name = %(sync)s""",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """A page: seconds until the whole answer is there, and its kilobytes."""

    page: str
    median: float
    p95: float
    slowest: float
    kilobytes: float


def main() -> int:
    """Fill, measure, print and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=1_000_000, help="default: %(default)s")
    return run_until_ended(partial(work, clients=parser.parse_args().clients))


def work(console: Console, *, clients: int) -> int:
    """Start the stack, fill it, and ask every page."""
    with (
        TemporaryDirectory() as folder,
        Stack.start(
            name="page-cost", clients=LOADED, say=console.say, deployment=deployment(Path(folder))
        ) as stack,
    ):
        stack.wait_for_dag(DAG_ID)
        stack.unpause(DAG_ID)
        dag_run = stack.trigger(DAG_ID, {"mode": "full", "reason": "first load"})
        if (state := wait(stack, DAG_ID, dag_run, seconds=RUN_SECONDS)) != "success":
            raise StackError(f"The first load {state}: {stack.airflow.task_logs}")
        fill(stack, clients)
        define_more(Path(folder))
        console.say(f"The ledger holds {clients:,} more clients, and there are {RUNS:,} more runs")
        costs = measure(stack, dag_run)
    print(table(costs, clients))
    found = {"clients": clients, "runs": RUNS, "jobs": JOBS, "load": os.getloadavg()[1]}
    RESULTS.parent.mkdir(exist_ok=True)
    report = found | {"pages": [asdict(cost) for cost in costs]}
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def deployment(folder: Path) -> Path:
    """A copy of the product, to which definitions are added."""
    for part in ("dags", "plugins", "include"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def define_more(folder: Path) -> None:
    """Definitions of the syncs that `fill` makes; those before it have theirs."""
    syncs = folder / "include" / "syncs"
    demo = yaml.safe_load((syncs / f"{SYNC}.yaml").read_text(encoding="utf-8"))
    for n in range(2, SYNCS + 1):
        more = demo | {"name": f"sync_{n}", "caption": f"Sync {n}", "schedule": f"{n % 60} * * * *"}
        (syncs / f"sync_{n}.yaml").write_text(yaml.safe_dump(more), encoding="utf-8")


def fill(stack: Stack, clients: int) -> None:
    """Make the state database as large as years of use would."""
    numbers = {"clients": clients, "runs": RUNS, "jobs": JOBS, "syncs": SYNCS,
               "runs_each": RUNS_EACH, "changes": CHANGES, "sync": SYNC}  # fmt: skip
    with psycopg.connect(stack.databases.cluster.url(STATE), autocommit=True) as connection:
        for statement in FILL:
            connection.execute(statement, numbers)
        connection.execute("VACUUM ANALYZE")


def pages(dag_run: str) -> dict[str, str]:
    """Each page by name: its path."""
    return {
        f"all {SYNCS} syncs": "/syncs",
        "one sync": f"/syncs/{SYNC}",
        "report of a DAG run": f"/report?dag_id={DAG_ID}&run_id={quote(dag_run, safe='')}",
        "report of a run": f"/syncs/{SYNC}/runs/1",
        "changes of a run": f"/syncs/{SYNC}/runs/1/changes",
        "plan of a run": f"/syncs/{SYNC}/runs/1/plan",
        "changes of a run, of one kind": f"/syncs/{SYNC}/runs/1/changes?kind=moved",
        "what a full run would send": f"/syncs/{SYNC}/full-run",
        "the same as a picture": f"/syncs/{SYNC}/full-run.svg",
        "clients with something to do": f"/syncs/{SYNC}/to-do",
        "clients to do, in the middle": f"/syncs/{SYNC}/to-do?after_id=1500000",
        "clients to do, of one reason": f"/syncs/{SYNC}/to-do?what=dropped&reason=too_long",
        "dropped values": f"/syncs/{SYNC}/dropped",
        "verification": f"/syncs/{SYNC}/verification",
        "erasures": f"/syncs/{SYNC}/erasures",
        "mapping": f"/syncs/{SYNC}/mapping",
        "look-up of a client": f"/syncs/{SYNC}/clients/{LOADED // 2}",
        "rejected clients": f"/syncs/{SYNC}/rejected",
        "rejected clients, in the middle": f"/syncs/{SYNC}/rejected?reason=missing&after=1500000",
    }


def measure(stack: Stack, dag_run: str) -> list[Cost]:
    """Ask each page often, after once to warm up."""
    session = requests.Session()
    session.trust_env = False
    login = {"username": LOGIN, "password": PASSWORD}
    token = session.post(f"{stack.url}/auth/token", json=login, timeout=30).json()["access_token"]
    session.cookies.set("_token", token)
    found = []
    for name, path in pages(dag_run).items():
        seconds = []
        for _ in range(TIMES + 1):
            start = time.perf_counter()
            answer = session.get(f"{stack.url}/contact-sync{path}", timeout=60)
            seconds.append(time.perf_counter() - start)
            answer.raise_for_status()
        del seconds[0]
        found.append(
            Cost(
                name,
                round(median(seconds), 3),
                round(quantiles(seconds, n=20)[-1], 3),
                round(max(seconds), 3),
                round(len(answer.content) / 1000, 1),
            )
        )
    return found


def table(costs: list[Cost], clients: int) -> str:
    """The costs as a Markdown table."""
    head = f"{clients:,} clients; the limit is {LIMIT_SECONDS * 1000:.0f} ms"
    lines = [
        f"| {c.page} | {c.median * 1000:.0f} | {c.p95 * 1000:.0f} | {c.slowest * 1000:.0f} "
        f"| {c.kilobytes:.0f} |"
        for c in costs
    ]
    return "\n".join(
        [head, "", "| page | median ms | 95 % ms | slowest ms | kB |",
         "| --- | ---: | ---: | ---: | ---: |", *lines]
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
