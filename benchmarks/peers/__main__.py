"""Compare this package with what people take instead: `make peers`.

Each program loads the same clients into the same emulator, five times; after each the contacts are
compared with the oracle's. A peer is what its guide shows; none of them follows SendGrid's jobs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks.measure import cpu_of
from benchmarks.target import ROOT
from benchmarks.world import World, start_world
from local.oracle import differing_fields, expected

ENVIRONMENTS = ROOT / ".venv-peers"
RESULTS = ROOT / "benchmarks" / "results"
PATIENCE_SECONDS = 120.0
"""So long a run may take. The product waits longer for a call that was killed without an answer."""
TITLES = {
    "first load": "first load",
    "second run": "second run, nothing changed",
    "changed": "1 % renamed, 10 other addresses, 10 deleted; contacts after one more run",
    "failed job": "the run after a first load whose first job failed",
    "killed": "the run after a first load that was killed (-9) at its first upload",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program took, and what SendGrid has then of what it should have. `left` = contacts of
    nobody that are on a list; `status` = the exit code of the last run. `peak_mb`: sampled."""

    program: str
    scenario: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    status: int
    right: int
    wrong: int
    missing: int
    left: int


def commands() -> dict[str, list[str]]:
    """How each program is started; the folder of its state is the last argument."""
    return {
        "product": [sys.executable, "-m", "benchmarks.product", "incremental"],
        "plain task": [sys.executable, "-m", "benchmarks.peers.plain"],
        "dlt": [str(ENVIRONMENTS / "dlt/bin/python"), "-m", "benchmarks.peers.with_dlt"],
        "drt": [str(ENVIRONMENTS / "drt/bin/python"), "-m", "benchmarks.peers.with_drt"],
    }


class Peak(threading.Thread):
    """The most memory of a process, looked at twenty times a second."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self._process = process
        self.megabytes = 0.0

    def run(self) -> None:
        """Look until it has ended."""
        while self._process.returncode is None:
            try:
                used = psutil.Process(self._process.pid).memory_info().rss / 1e6
            except psutil.NoSuchProcess:
                return
            self.megabytes = max(self.megabytes, used)
            time.sleep(0.05)


class Bench:
    """One program on one world, from an empty account and without a state."""

    def __init__(self, world: World, program: str, folder: str) -> None:
        self.world, self.program = world, program
        self._command = [*commands()[program], folder]
        world.start_over(store_only=False)

    def measured(self, scenario: str, *, killed: bool = False) -> Outcome:
        """Run, and judge what SendGrid has then. `killed`: kill it at its first call that sends;
        the figures are those of the time until then."""
        postgres = self.world.postgres()
        before, began = cpu_of(postgres), time.perf_counter()
        process = self._start()
        peak = Peak(process)
        peak.start()
        if killed:
            self._kill(process)
        patience = threading.Timer(PATIENCE_SECONDS, process.kill)
        patience.start()
        _, status, used = os.wait4(process.pid, 0)
        patience.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        cpu = used.ru_utime + used.ru_stime + cpu_of(postgres) - before
        return Outcome(
            self.program, scenario, round(wall, 1), round(cpu, 1), round(peak.megabytes),
            process.returncode, **self.judged(),
        )  # fmt: skip

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        if process.stdin is not None:
            process.stdin.write(self.world.target.to_json())
            process.stdin.close()
        return process

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            calls = self.world.emulator.admin.calls()
            if any(call["method"] == "PUT" for call in calls):
                break
            time.sleep(0.02)
        process.kill()

    def judged(self) -> dict[str, Any]:
        """How many contacts are right, wrong, missing, or left over."""
        wanted = expected(self.world.owner_url).contacts
        found = self.world.emulator.admin.contacts()
        there = wanted.keys() & found.keys()
        wrong = sum(bool(differing_fields(found[email], wanted[email])) for email in there)
        return {
            "right": len(there) - wrong, "wrong": wrong,
            "missing": len(wanted) - len(there),
            "left": sum(bool(found[email].get("list_ids")) for email in found.keys() - there),
        }  # fmt: skip


def change(world: World, number: int) -> None:
    """What an application does to B2CORE, `updated_at` included; other clients for each number."""
    first = 1 + 100 * number
    with psycopg.connect(world.owner_url) as connection:
        connection.execute(
            "UPDATE b2core.clients SET last_name = %s, updated_at = now() WHERE id %% 100 = 0",
            (f"Changed {number}",),
        )
        connection.execute(
            "UPDATE b2core.clients SET email = 'moved' || id || '@example.com', updated_at = now() "
            "WHERE id BETWEEN %s AND %s",
            (first, first + 9),
        )
        connection.execute(
            "DELETE FROM b2core.clients WHERE id BETWEEN %s AND %s", (first + 50, first + 59)
        )


def outcomes(world: World, program: str, number: int) -> Iterator[Outcome]:
    """All scenarios of one program; figures are those of the run that the scenario names first,
    contacts those after its last."""
    with state() as folder:
        bench = Bench(world, program, folder)
        yield bench.measured("first load")
        yield bench.measured("second run")
        change(world, number)
        once = bench.measured("changed")
        bench.measured("changed")
        yield replace(once, **bench.judged())
    with state() as folder:
        bench = Bench(world, program, folder)
        for job in ("json", "csv"):
            world.emulator.admin.job_fault("fails_halfway", nth=1, job=job, after_rows=0)
        bench.measured("failed job")
        world.emulator.admin.clear_faults()
        yield bench.measured("failed job")
    with state() as folder:
        bench = Bench(world, program, folder)
        bench.measured("killed", killed=True)
        yield bench.measured("killed")


@contextmanager
def state() -> Iterator[str]:
    """A folder for what a peer remembers."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        yield folder


def table(found: list[Outcome]) -> str:
    """All outcomes in Markdown."""
    columns = ("program", "s", "CPU s", "MB", "right", "wrong", "missing", "left over")
    lines = []
    for scenario, title in TITLES.items():
        lines += ["", f"**{title}**", "", f"| {' | '.join(columns)} |", "|---|" + "--:|" * 7]
        for each in found:
            if each.scenario == scenario:
                failed = f" (exit code {each.status})" if each.status else ""
                values = (each.seconds, each.cpu_seconds, f"{each.peak_mb:.0f}", each.right,
                          each.wrong, each.missing, each.left)  # fmt: skip
                lines.append(f"| {each.program}{failed} | {' | '.join(map(str, values))} |")
    return "\n".join(lines).strip()


def write(folder: Path, figures: dict[str, Any]) -> None:
    """Write the figures, also into those of the other benchmarks."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / "peers.json": figures}
    latest = folder / "latest.json"
    if latest.exists():
        files[latest] = {**json.loads(latest.read_text(encoding="utf-8")), "peers": figures}
    for path, content in files.items():
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Run the programs one after the other, and write what they did."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--clients", type=int, default=10_000, help="default %(default)s")
    parser.add_argument("--programs", nargs="+", choices=commands(), default=list(commands()))
    parser.add_argument(
        "--output", type=Path, default=RESULTS, metavar="FOLDER",
        help="where peers.json goes, and latest.json is, if there is one (default: %(default)s)",
    )  # fmt: skip
    options = parser.parse_args()
    found: list[Outcome] = []
    with start_world() as world:
        world.populate(options.clients)
        for number, program in enumerate(options.programs, 1):
            for outcome in outcomes(world, program, number):
                found.append(outcome)
                print(outcome, flush=True)
    figures = {"clients": options.clients, "outcomes": [asdict(each) for each in found]}
    write(options.output, figures)
    print(table(found))


if __name__ == "__main__":
    main()
