"""The environment of a private Airflow: every setting that the demo and the tests need.

Pure: no process is started here. Each setting that is not self-evident says why it is there.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from pathlib import Path

HOST = "127.0.0.1"
LOGIN = "admin"
PASSWORD = "admin"  # the server listens on this machine only and is thrown away afterwards
VIEWER = "viewer"  # may look, and neither trigger nor see connections; also the password
PARALLELISM = 6


def environment(
    *, home: Path, port: int, database: str, dags: Path, plugins: Path
) -> dict[str, str]:
    """Return the whole environment for Airflow's processes; `database` is a SQLAlchemy URL."""
    url = f"http://{HOST}:{port}"
    airflow = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),  # each worker is a process of its own
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        # The default looks the machine's full name up in DNS, which can hang.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",  # the Test button; docs/security.md
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{LOGIN}:admin,{VIEWER}:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        # Airflow's own, made when none is given, is too short and differs between processes.
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(48),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        # With the default of 5 s, a task that defers for a moment fails at random (Airflow 3.3.2:
        # the executor's "success" arrives after the task was resumed), and slots are freed late.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",  # they would hide what went wrong
        # Each task is a process; where the variable is set each one compiles the package again.
        "PYTHONDONTWRITEBYTECODE": "",
    }
    return inherited() | local_only() | airflow | importable(plugins)


def inherited() -> dict[str, str]:
    """Return this process's environment without what would change Airflow or our package."""
    foreign = ("AIRFLOW", "CONTACT_SYNC", "PYTHONPATH", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # Airflow calls programs of its virtual environment by their bare names.
    programs = str(Path(sys.executable).parent)
    return kept | {"PATH": os.pathsep.join([programs, kept.get("PATH", os.defpath)])}


def local_only() -> dict[str, str]:
    """Keep calls between our processes away from a proxy, and forked workers alive on macOS."""
    hosts = f"{HOST},localhost"
    return {
        "NO_PROXY": hosts,
        "no_proxy": hosts,
        "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
    }


def importable(plugins: Path) -> dict[str, str]:
    """Make the package importable in every process, also outside of Airflow's plugin loading."""
    return {"PYTHONPATH": os.pathsep.join([str(plugins), str(plugins.parent)])}


def write_password_file(home: Path) -> None:
    """Give the logins their passwords, which Airflow would else make up and print in a log."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "passwords.json").write_text(
        json.dumps({LOGIN: PASSWORD, VIEWER: VIEWER}), encoding="utf-8"
    )


def postgres_connection(*, port: int, database: str, user: str, password: str) -> str:
    """Return an Airflow connection to a database of the embedded PostgreSQL, as JSON."""
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": HOST,
            "port": port,
            "schema": database,
            "login": user,
            "password": password,
        }
    )


def sendgrid_connection(*, base_url: str, api_key: str) -> str:
    """Return an Airflow connection to the emulator, as JSON."""
    return json.dumps({"conn_type": "sendgrid", "host": base_url, "password": api_key})
