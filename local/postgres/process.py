"""The server's process: started on a free port, ended with its parent or after a crash."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from local.postgres.account import ClusterError, run_as

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
SUPERUSER = "postgres"
START_SECONDS = 60
STOP_SECONDS = 30
LOG_TAIL_BYTES = 3000
PORT_ATTEMPTS = 5  # another process may take the free port between our look and the server's bind

# The guard's standard input ends when its parent closes it or dies; then it stops the server.
GUARD = """
read -r _
"$0" -D "$1" -m fast -t "$2" stop >/dev/null 2>&1 ||
"$0" -D "$1" -m immediate -t "$2" stop >/dev/null 2>&1
"""


def launch_on_a_port(
    home: Path, programs: Path, user: str | None, settings: dict[str, str], port: int | None
) -> int:
    """Start the server on `port`, or on a free one, and return the port."""
    for attempt in range(1, PORT_ATTEMPTS + 1):
        chosen = port or free_port()
        problem = launch(home, programs, user, settings | {"port": str(chosen)})
        if problem is None:
            return chosen
        if port is not None or "could not bind" not in problem or attempt == PORT_ATTEMPTS:
            break
    raise ClusterError(
        f"PostgreSQL did not start in {home} on port {chosen}. Its log ends:\n{problem}"
    )


def launch(home: Path, programs: Path, user: str | None, settings: dict[str, str]) -> str | None:
    """Start the server and wait until it is ready; return the end of its log if it is not."""
    server_log = home / "server.log"
    server_log.write_bytes(b"")
    if user is not None:
        shutil.chown(server_log, user, user)
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    done = run_as(
        user,
        [
            *(str(programs / "pg_ctl"), "-D", str(home / "data"), "-l", str(server_log)),
            *("-w", "-t", str(START_SECONDS), "-o", options, "start"),
        ],
    )
    if done.returncode == 0:
        return None
    return (done.stdout + server_log.read_text(errors="replace"))[-LOG_TAIL_BYTES:].strip()


def start_guard(data: Path, programs: Path, user: str | None) -> subprocess.Popen[bytes]:
    """Start the process that stops the server when this one ends, however it ends."""
    command = ["sh", "-c", GUARD, str(programs / "pg_ctl"), str(data), str(STOP_SECONDS)]
    # A session of its own: an interrupt at the terminal is ours to handle, not the guard's.
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )


def end_leftover(data: Path) -> None:
    """Stop the server that runs on `data`, if one does, and remove a stale pid file."""
    pid_file = data / "postmaster.pid"
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        # After a crash the number may belong to any program; that one must not be touched.
        ours = str(data) in process.cmdline()
    except FileNotFoundError:
        return
    except (psutil.NoSuchProcess, psutil.AccessDenied, IndexError, ValueError):
        ours = False
    if ours:
        log.warning("A PostgreSQL was left running in %s: stopping it", data)
        for stop in (process.terminate, process.kill):
            if has_ended(process, stop):
                break
        else:
            raise ClusterError(f"The PostgreSQL of {data} (process {process.pid}) does not stop")
    pid_file.unlink(missing_ok=True)


def has_ended(process: psutil.Process, signal_it: Callable[[], None]) -> bool:
    """Signal a process and return whether it ended within STOP_SECONDS."""
    deadline = time.monotonic() + STOP_SECONDS
    try:
        signal_it()
        # Where nobody reaps orphans, as in many containers, an ended process stays a zombie.
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
    except psutil.NoSuchProcess:
        return True
    return True


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
