"""The private PostgreSQL: it starts again, gives way, explains itself and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from local.postgres.server import Cluster, ClusterError, start_cluster

ROOT = Path(__file__).parents[2]
CHILD = """
import sys, time
from pathlib import Path
from local.postgres.server import start_cluster
cluster = start_cluster(Path(sys.argv[1]))
print(cluster.directory / "data" / "postmaster.pid", cluster._guard.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Return an empty directory that every user can enter, which pytest's own is not for root."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_for_end(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def server_pid(cluster: Cluster) -> int:
    return int((cluster.directory / "data" / "postmaster.pid").read_text().split()[0])


def test_starts_again_with_what_it_held(home: Path) -> None:
    with start_cluster(home / "a", durable=True) as cluster:
        pid = server_pid(cluster)
        url = cluster.create_database('odd "name" ünd/so')
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
            assert connection.execute("SELECT lower('ÄЖΣ')").fetchone() == ("äжσ",)
    assert not is_alive(pid)
    cluster.stop()  # harmless
    with (
        start_cluster(home / "a") as again,
        psycopg.connect(again.url('odd "name" ünd/so')) as c,
    ):
        assert c.execute("SELECT number FROM kept").fetchone() == (1,)
        assert c.execute("SHOW fsync").fetchone() == ("off",)


def test_the_password_is_needed_and_not_shown(cluster: Cluster) -> None:
    assert cluster.password not in repr(cluster)
    for password in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(cluster.url("postgres", user="postgres", password=password))


def test_listens_on_the_loopback_only(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("SHOW unix_socket_directories").fetchone() == ("",)


def test_says_why_it_does_not_start(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ClusterError, match=rf"on port {port}[\s\S]*could not bind"):
            start_cluster(home / "a", port=port)
    with start_cluster(home / "a", port=port) as cluster:  # nothing of the failed start is left
        assert cluster.port == port


def test_refuses_a_directory_in_use_and_a_foreign_one(cluster: Cluster, home: Path) -> None:
    with pytest.raises(ClusterError, match="Another running process"):
        start_cluster(cluster.directory)
    (home / "data").mkdir()
    with pytest.raises(ClusterError, match="not a complete cluster"):
        start_cluster(home)


@pytest.mark.parametrize("guarded", [True, False])
def test_a_killed_parent_leaves_nothing_that_lasts(home: Path, guarded: bool) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    pid_file, guard = child.stdout.readline().rsplit(maxsplit=1)
    server = int(Path(pid_file).read_text().split()[0])
    if not guarded:
        os.kill(int(guard), signal.SIGKILL)
    child.kill()
    child.wait()
    child.stdout.close()
    if guarded:
        assert wait_for_end(server)
    else:
        assert is_alive(server)
    with start_cluster(home) as cluster:
        assert not is_alive(server)
        assert server_pid(cluster) != server


def test_never_touches_another_program_of_the_same_number(home: Path) -> None:
    with start_cluster(home) as cluster:
        pid_file = cluster.directory / "data" / "postmaster.pid"
        text = pid_file.read_text()
    with subprocess.Popen(["sleep", "60"]) as innocent:
        pid_file.write_text(text.replace(text.split()[0], str(innocent.pid), 1))
        with start_cluster(home):
            assert innocent.poll() is None
        innocent.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_a_directory_that_its_user_cannot_enter(
    home: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = home / "private" / "a"
    asked.mkdir(parents=True)
    asked.parent.chmod(0o700)
    stand_in = home / "temporary"
    stand_in.mkdir(mode=0o755)
    monkeypatch.setattr("tempfile.tempdir", str(stand_in))
    with start_cluster(asked) as first:
        assert first.directory.parent == stand_in
        assert str(first.directory) in caplog.text
    with start_cluster(asked) as second:
        assert second.directory == first.directory
