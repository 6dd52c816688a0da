"""The folder that one stack lives in: `.run/demo`, or `.run/demo-2` beside a second one.

A lock in it says that it is in use. Its logs stay after the stack has ended, until the next start.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / ".run"
MOST = 20
LOCK = "lock"
POSTGRES = "postgres"


class StackError(Exception):
    """The stack could not be started, or did not do what was asked; says what to do."""


@contextmanager
def run_directory(name: str, *, keep: bool = False) -> Iterator[tuple[Path, IO[str]]]:
    """Claim a folder for a stack and empty it, unless it is to be kept; yield it with its lock,
    released at the end. What is in it is for this user only."""
    path, lock = claim(name, most=1 if keep else MOST)
    with lock:
        for entry in () if keep else path.iterdir():
            # The server of a killed launcher may still be stopping: start_cluster sees to it.
            if entry.name not in (LOCK, POSTGRES):
                remove(entry)
        yield path, lock


def claim(name: str, most: int = MOST) -> tuple[Path, IO[str]]:
    """Return the first folder of this name that no living stack uses, and its lock."""
    for number in range(1, most + 1):
        path = RUN / (name if number == 1 else f"{name}-{number}")
        path.mkdir(parents=True, exist_ok=True)
        for folder in (RUN, path):  # root's server runs as another user, who passes through
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        lock = (path / LOCK).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return path, lock
    raise StackError(f"A stack named {name!r} runs already in {RUN}, {most} in all. Stop it first.")


def remove(path: Path) -> None:
    """Delete a file, or a folder and all in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
