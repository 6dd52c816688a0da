"""A server of the oldest PostgreSQL that the README names, as Debian 12 has it, with TLS."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.postgres.account import os_user, run_as
from local.postgres.process import launch_on_a_port, start_guard
from local.postgres.server import SETTINGS, Cluster, lock_home

VERSION = 15
PROGRAMS = Path(f"/usr/lib/postgresql/{VERSION}/bin")
HOW_TO_GET_ONE = f"No PostgreSQL {VERSION} was found: apt-get install postgresql-{VERSION}"
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def oldest_postgres(**settings: str) -> Iterator[Cluster]:
    """A running server in a new directory, which goes with it. Skips the test where none is."""
    if not PROGRAMS.is_dir():
        pytest.skip(HOW_TO_GET_ONE)
    user = os_user()
    with tempfile.TemporaryDirectory(prefix=f"b2core-sync-postgres-{VERSION}-") as name:
        home, password = Path(name), secrets.token_urlsafe(24)
        home.chmod(0o711)
        (home / "password").write_text(password, encoding="ascii")
        (home / "data").mkdir()
        if user:
            for path in (home / "password", home / "data"):
                shutil.chown(path, user, user)
        done = run_as(user, [
            str(PROGRAMS / "initdb"), "-D", str(home / "data"), "-U", "postgres", "--no-sync",
            "--auth=scram-sha-256", f"--pwfile={home / 'password'}", "--encoding=UTF8",
            "--locale=C.UTF-8",
        ])  # fmt: skip
        assert done.returncode == 0, done.stdout
        lock = lock_home(home)
        port = launch_on_a_port(home, PROGRAMS, user, SETTINGS | QUICK | settings, None)
        with Cluster(home, port, password, start_guard(home / "data", PROGRAMS, user), lock) as on:
            yield on
