"""A PgBouncer before the tests' server: `python -m tests.support.pgbouncer` sees to it that there
is one. `make test` does that, as root on Debian.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from local.browser.chromium import apt_install
from local.postgres.account import os_user
from local.postgres.process import free_port

HOW_TO_GET_ONE = "No PgBouncer was found: apt-get install pgbouncer, or brew install pgbouncer"
TRIES, PAUSE = 200, 0.05
CONFIGURATION = """[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {users}
pool_mode = {mode}
default_pool_size = 4
server_round_robin = 1
server_login_retry = 1
"""
"""Each transaction gets the server's session that has been idle for the longest: another one."""


def pgbouncer() -> str | None:
    """The program's path; Debian has it where only root looks for programs."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def pooled(*urls: str, mode: str = "transaction", **settings: str) -> Iterator[list[str]]:
    """The URLs of databases of one server, through a new PgBouncer in that `pool_mode`."""
    program = pgbouncer()
    if program is None:
        pytest.skip(HOW_TO_GET_ONE)
    parts = [urlsplit(url) for url in urls]
    (server,) = {part.port for part in parts}
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="b2core-sync-pgbouncer-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        users = folder / "users.txt"
        users.write_text("".join(f'"{p.username}" "{unquote(p.password or "")}"\n' for p in parts))
        configuration = folder / "pgbouncer.ini"
        text = CONFIGURATION.format(server=server, port=port, users=users, mode=mode)
        configuration.write_text(text + "".join(f"{k} = {v}\n" for k, v in settings.items()))
        user = os_user()
        for path in (users, configuration):
            path.chmod(0o600)
            if user:
                shutil.chown(path, user)
        with subprocess.Popen([program, "-q", str(configuration)], user=user, cwd="/") as process:
            try:
                through = [url.replace(f":{server}/", f":{port}/") for url in urls]
                _wait_for(port, process)
                yield through
            finally:
                process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(TRIES):
        assert process.poll() is None, "PgBouncer has ended"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(PAUSE)
        else:
            return
    raise TimeoutError("PgBouncer doesn't listen")


def main() -> int:
    """Install Debian's package if there is none and we may; say what to do if we may not."""
    if pgbouncer() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        apt_install(("pgbouncer",))
    if (found := pgbouncer()) is None:
        sys.stderr.write(f"{HOW_TO_GET_ONE}; the tests with a pooler are skipped\n")
        return 1
    sys.stdout.write(f"Pooler for tests: {found}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
