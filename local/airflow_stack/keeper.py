"""Keeps Airflow's processes together: starts them, and ends every one of them, whatever happens.

Run by processes.py as a process of its own, in a session of its own, with Airflow's settings
in its environment:  python -m local.airflow_stack.keeper LOG_FOLDER PARTS

It creates Airflow's tables, then starts the parts (see parts.py), each with a log file and
a pid file. When its standard input ends, because its parent closed it or died, or when a part that
may not end does, it ends all that is left and exits. It finds the processes by their
session: tasks leave the process group of their scheduler, and a killed scheduler leaves its
workers behind, but nothing leaves the session. Standard library and psutil only: it stays small.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from select import select

import psutil

from local.airflow_stack.parts import MIGRATION, Part, from_text

PID_FILE = "{}.pid"
GRACE_SECONDS = 3.0  # nothing of this Airflow outlives the stack, so there is nothing to save
KILL_SECONDS = 10.0
LOOK_SECONDS = 0.2
STOPPED = 0
PART_ENDED = 3


def main() -> int:
    """Run Airflow until standard input ends (0) or until a part of it ends (3)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when an interrupt ends us
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, exit_now)
    logs, parts = Path(sys.argv[1]), from_text(sys.argv[2])
    try:
        return keep(logs, parts)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_session(os.getsid(0))
        reap_children()


def exit_now(_number: int, _frame: object) -> None:
    """Turn a signal into an exit that runs the `finally` clauses."""
    sys.exit(STOPPED)


def keep(logs: Path, parts: list[Part]) -> int:
    """Start the parts in their order and watch them."""
    migration = [(MIGRATION, start(MIGRATION, logs))]
    while (ended := ended_part(migration)) is None:
        if is_told_to_stop():
            return STOPPED
    if ended[1] != 0:
        return report(*ended)
    running = [(part, start(part, logs)) for part in parts]
    while (ended := ended_part(running)) is None:
        if is_told_to_stop():
            return STOPPED
    return report(*ended)


def start(part: Part, logs: Path) -> subprocess.Popen[bytes]:
    """Start one part with a log file of its own, and note its process id."""
    with (logs / f"{part.name}.log").open("ab") as log:
        process = subprocess.Popen(
            part.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | part.environment,
        )
    (logs / PID_FILE.format(part.name)).write_text(str(process.pid), encoding="ascii")
    return process


def ended_part(running: list[tuple[Part, subprocess.Popen[bytes]]]) -> tuple[str, int] | None:
    """Return the name and exit status of a part that has ended and may not, if one has."""
    for part, process in running:
        if (status := process.poll()) is not None and not part.may_end:
            return part.name, status
    return None


def is_told_to_stop() -> bool:
    """Wait a moment and return whether standard input has ended."""
    readable, _, _ = select([sys.stdin], [], [], LOOK_SECONDS)
    return bool(readable) and not sys.stdin.buffer.read(1)


def report(name: str, status: int) -> int:
    """Tell the parent which part ended; it shows the log."""
    print(f"{name} {status}", flush=True)
    return PART_ENDED


def end_session(session: int) -> None:
    """End every process of a session but this one: ask first, then kill.

    Raise RuntimeError if one survives even that, naming it.
    """
    ask_until = time.monotonic() + GRACE_SECONDS
    kill_until = ask_until + KILL_SECONDS
    asked: set[int] = set()
    while members := session_members(session):
        now = time.monotonic()
        if now > kill_until:
            names = ", ".join(f"{process.pid}" for process in members)
            raise RuntimeError(f"These processes of Airflow do not end: {names}")
        for process in members:
            if now > ask_until:
                send(process.pid, signal.SIGKILL)
            elif process.pid not in asked:
                send(process.pid, signal.SIGTERM)
                asked.add(process.pid)
        time.sleep(LOOK_SECONDS / 2)


def reap_children() -> None:
    """Collect our ended children, which would else stay listed where nobody reaps orphans."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def session_members(session: int) -> list[psutil.Process]:
    """Return the living processes of a session but this one."""
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and session_of(process.pid) == session and lives(process)
    ]


def session_of(pid: int) -> int | None:
    """Return the session of a process, None if it is gone or not ours to ask about."""
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def lives(process: psutil.Process) -> bool:
    """Return whether a process still runs; where nobody reaps orphans an ended one stays listed."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(main())
