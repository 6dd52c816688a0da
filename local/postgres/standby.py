"""Copies of a running demo server, for tests: a backup of this moment, or a hot standby."""

from __future__ import annotations

import shutil
from pathlib import Path

from local.postgres.account import ClusterError, os_user, reachable_home, reachable_programs, run_as
from local.postgres.server import Cluster, start_cluster


def start_copy(original: Cluster, directory: Path, *, standby: bool) -> Cluster:
    """Copy `original` by pg_basebackup into an empty `directory` and start the copy.

    A standby follows the original; else the copy goes on by itself, as after a restore. Raise
    ClusterError with the output of pg_basebackup when it fails.
    """
    user = os_user()
    home = reachable_home(directory.absolute(), user)
    data, password_file = home / "data", home / "password"
    data.mkdir(mode=0o700)
    password_file.touch(mode=0o600)
    password_file.write_text(original.password, encoding="ascii")
    if user is not None:
        shutil.chown(data, user, user)
        shutil.chown(password_file, user, user)
    command = [str(reachable_programs(user) / "pg_basebackup"), "-D", str(data)]
    command += ["-d", original.url(), "--checkpoint=fast", "--no-sync", "-X", "stream"]
    done = run_as(user, [*command, *(["--write-recovery-conf"] if standby else [])])
    if done.returncode != 0:
        raise ClusterError(f"pg_basebackup failed:\n{done.stdout[-3000:]}")
    return start_cluster(directory)
