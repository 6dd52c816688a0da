"""The parent's side of keeper.py: start Airflow's processes, notice an end, end them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from select import select
from typing import IO

from local.airflow_stack.keeper import GRACE_SECONDS, KILL_SECONDS, PID_FILE, end_session
from local.airflow_stack.parts import Part, to_text

TAIL_LINES = 25


class AirflowError(Exception):
    """Airflow did not start, lacks a program, or a part of it ended by itself."""


@dataclass(slots=True)
class Processes:
    """Airflow's processes, alive or not. `logs` has a file for each part."""

    logs: Path
    _keeper: subprocess.Popen[bytes]
    _output: IO[bytes]

    def check(self) -> None:
        """Raise AirflowError when a part of Airflow has ended by itself, with its log's end."""
        # The keeper says which part ended before it ends the others, so this is never too late.
        readable, _, _ = select([self._output], [], [], 0)
        if not readable:
            return
        part, _, status = self._output.readline().decode().strip().partition(" ")
        status = status or str(self._keeper.wait(timeout=GRACE_SECONDS + KILL_SECONDS))
        part = part or "keeper"
        raise AirflowError(
            f"Airflow's {part} ended by itself with status {status}. Its log ends:\n"
            f"{self.tail(part)}\nAll logs are in {self.logs}"
        )

    def tail(self, part: str) -> str:
        """Return the last lines of a part's own log."""
        path = self.logs / f"{part}.log"
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        lines = text.splitlines()[-TAIL_LINES:] or ["(it wrote no log)"]
        return "\n".join(f"    {line}" for line in lines)

    def pid(self, part: str) -> int:
        """Return the process id that a part was started with."""
        return int((self.logs / PID_FILE.format(part)).read_text(encoding="ascii"))

    def stop(self) -> None:
        """End every process of Airflow and wait for it. Harmless when it has ended already."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(timeout=GRACE_SECONDS + 2 * KILL_SECONDS)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait(timeout=KILL_SECONDS)
        end_session(self._keeper.pid)  # if the keeper itself was killed, nobody else would
        self._output.close()


def start_processes(
    logs: Path, settings: dict[str, str], parts: Sequence[Part], lock: IO[str]
) -> Processes:
    """Start Airflow's tables and parts with `settings` as its environment and return at once.

    `lock` stays locked until its processes have ended, even if this process is killed.
    """
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "keeper.log").open("wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "local.airflow_stack.keeper", str(logs), to_text(parts)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=settings,
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )
    assert keeper.stdout is not None, "it is a pipe"
    return Processes(logs, keeper, keeper.stdout)
