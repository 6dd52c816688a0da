"""Start the emulator as a process of its own and stop it again.

It ends with its parent, however that ends, because its standard input does; its files have no
names, so nothing stays behind.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from local.sendgrid_emulator.admin.client import Admin

ROOT = Path(__file__).resolve().parents[2]  # of the repository, where `local` can be imported
START_SECONDS = 30
STOP_SECONDS = 15
LOG_TAIL_CHARACTERS = 4000


class EmulatorError(Exception):
    """The emulator did not start, or ended by an error of its own."""


@dataclass(slots=True)
class Emulator:
    """A running emulator."""

    base_url: str
    upload_url: str
    api_key: str = field(repr=False)
    admin: Admin = field(repr=False)
    pid: int
    _process: subprocess.Popen[bytes] = field(repr=False)
    _log: IO[bytes] = field(repr=False)

    def log(self) -> str:
        """Return what the emulator wrote to its standard error."""
        return log_tail(self._log)

    def stop(self) -> None:
        """Stop the emulator; harmless when stopped already. Raise EmulatorError if it failed."""
        if self._log.closed:
            return
        self.admin.close()
        if self._process.poll() is None:
            self._process.terminate()
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        tail = log_tail(self._log)
        self._log.close()
        if code != 0 or "Traceback" in tail:  # it answers 500 where it has an error of its own
            raise EmulatorError(f"The emulator ended with code {code}. Its log ends:\n{tail}")

    def __enter__(self) -> Self:
        """Return the running emulator."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the emulator."""
        self.stop()


def start_emulator(
    *,
    api_key: str,
    empty_cell: str,
    delay: float = 0.2,
    keys: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
    port: int = 0,
    upload_port: int = 0,
    keep: Path | None = None,
) -> Emulator:
    """Start an emulator and return it once it serves; port 0 takes a free one.

    `api_key` may do everything; `keys` adds others with their permission, see `access`.
    `settings` are those of the start, to which a reset returns. `keep`: a file that holds the
    account from one start to the next. Raise EmulatorError with the end of its log when it does not
    start.
    """
    log = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process
    permissions = {api_key: "full", **(keys or {})}
    with tempfile.TemporaryDirectory() as directory:
        ready = Path(directory, "ready.json")
        command = [
            *(sys.executable, "-m", "local.sendgrid_emulator", "--end-with-stdin"),
            *(f"--port={port}", f"--upload-port={upload_port}", f"--ready-file={ready}"),
            *(f"--empty-cell={empty_cell}", f"--delay={delay}"),
            f"--settings={json.dumps(dict(settings or {}))}",
            *([f"--keep={keep}"] if keep else []),
            *(f"--api-key={key}:{permission}" for key, permission in permissions.items()),
        ]
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log
        )
        addresses = await_ready(process, ready, log)
    base_url, upload_url = addresses["base_url"], addresses["upload_url"]
    return Emulator(base_url, upload_url, api_key, Admin(base_url), process.pid, process, log)


def await_ready(process: subprocess.Popen[bytes], ready: Path, log: IO[bytes]) -> dict[str, str]:
    """Return the content of the ready file once it is there."""
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            tail = log_tail(log)
            log.close()
            raise EmulatorError(f"The emulator did not start. Its log ends:\n{tail}")
        time.sleep(0.01)
    return dict(json.loads(ready.read_bytes()))


def log_tail(log: IO[bytes]) -> str:
    """Return the end of a log without moving where the process writes."""
    position = log.tell()
    log.seek(0)
    text = log.read().decode(errors="replace")
    log.seek(position)
    return text[-LOG_TAIL_CHARACTERS:]
