"""The whole system on this machine: B2CORE, the SendGrid emulator, the state database, Airflow.

`Stack.start` is a context manager: when it ends, in whatever way, no process is left. The demo,
`make up` and the tests with real Airflow use it. Its parts: directory.py, databases.py, account.py,
airflow_stack/, sendgrid_emulator/; runs.py follows a run to its end.
"""

from __future__ import annotations

import hashlib
import json
import random
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.airflow_stack.celery import use_celery
from local.airflow_stack.parts import SERVERS, Part
from local.airflow_stack.server import AirflowServer, start_airflow
from local.airflow_stack.settings import HOST, environment, postgres_connection, sendgrid_connection
from local.b2core_demo import READER, generate
from local.sendgrid_emulator.process import Emulator, start_emulator
from local.stack.account import furnish
from local.stack.databases import (
    B2CORE,
    OWNERS,
    STATE,
    Databases,
    databases,
    kept_databases,
)
from local.stack.directory import POSTGRES, ROOT, StackError, run_directory
from local.stack.kept import ACCOUNT, SECRETS, Kept, ports_of, read_kept, write_kept

STATE_CONNECTION = "AIRFLOW_CONN_CONTACT_SYNC_STATE"
POOL = "sendgrid"  # without its pool a task waits for ever
POOL_SLOTS = 4
COMMAND_SECONDS = 120.0
DAG_SECONDS = 90.0
LOOK_SECONDS = 0.5
# Below the ports that systems hand out to outgoing connections, one of which could else take ours
# between the look and Airflow's start.
PORTS = range(20_000, 32_000)
NO_SETTINGS: Mapping[str, str] = {}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stay:
    """`keep`: all data stay, and the next start of this name goes on with them. `port`: that of
    Airflow's web page; None = any."""

    keep: bool = False
    port: int | None = None


ONCE = Stay()


@dataclass(frozen=True, slots=True)
class Stack:
    """A running system. `say` gets a line of text for everything that happens."""

    directory: Path
    databases: Databases
    emulator: Emulator
    list_id: str
    airflow: AirflowServer
    say: Say

    @classmethod
    @contextmanager
    def start(
        cls,
        *,
        clients: int,
        say: Say,
        name: str = "stack",
        seed: int = 1,
        deployment: Path = ROOT,
        workers: Sequence[str] = (),
        more_settings: Mapping[str, str] = NO_SETTINGS,
        stay: Stay = ONCE,
    ) -> Iterator[Stack]:
        """Start everything with generated clients; yield once Airflow is healthy and logged in.

        `deployment` has the folders dags/, plugins/ and include/. With `workers`, the tasks run on
        Celery workers of these names; without, the scheduler runs them itself. `more_settings` are
        for Airflow's processes.
        """
        keep, port = stay.keep, stay.port
        with ExitStack() as parts:
            directory, lock = parts.enter_context(run_directory(name, keep=keep))
            kept = read_kept(directory) if keep else None
            port = port_for(port, kept.ports[0] if kept else 0)
            # The parts end in the reverse order of their start, Airflow first.
            at = directory / POSTGRES
            server = parts.enter_context(
                kept_databases(at, kept.passwords) if kept else databases(at, keep=keep)
            )
            say(f"PostgreSQL is up on port {server.cluster.port}")
            key = kept.api_key if kept else new_key()
            emulator = start_emulator(
                api_key=key, empty_cell="keep", keep=directory / ACCOUNT if keep else None,
                port=free_or_any(kept, 1), upload_port=free_or_any(kept, 2),
            )  # fmt: skip
            parts.callback(emulator.stop)
            list_id = kept.list_id if kept else furnish(emulator.admin)
            say(f"The SendGrid emulator is up at {emulator.base_url}")
            settings = airflow_environment(directory, server, emulator, key, deployment, port)
            settings |= {**(kept.secrets if kept else {}), **more_settings}
            processes: Sequence[Part] = SERVERS
            if workers:
                celery = use_celery(directory, workers, port=free_port())
                settings |= celery.environment
                processes = (*celery.parts, *SERVERS)
            airflow = start_airflow(directory / "airflow", settings, processes, lock)
            parts.callback(airflow.processes.stop)
            stack = cls(directory, server, emulator, list_id, airflow, say)
            if kept is None:
                stack.generate(clients, seed)  # Airflow takes longer to start than this
            stack.migrate(more_settings)
            airflow.wait_until_healthy(say)
            airflow.api.log_in()
            if kept is None:
                airflow.api.create_pool(POOL, slots=POOL_SLOTS)
            if keep:
                own = {name: settings[name] for name in SECRETS}
                ports = ports_of(port, emulator)
                write_kept(directory, Kept(server.passwords, key, list_id, own, ports))
            yield stack

    @property
    def url(self) -> str:
        """The address of Airflow's web page."""
        return self.airflow.api.url

    def generate(self, clients: int, seed: int) -> None:
        """Generate the clients."""
        generate(self.databases.b2core_url, clients=clients, seed=seed)
        self.say(f"B2CORE holds {clients:,} generated clients")

    def migrate(self, more_settings: Mapping[str, str]) -> None:
        """Create or upgrade the tables of the stack's state database, not those of another."""
        if STATE_CONNECTION in more_settings:
            return
        self.contact_sync("migrate")
        self.say("The state database has its tables")

    def contact_sync(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> str:
        """Run the package's own command with the stack's connections and return what it prints."""
        command = [sys.executable, "-m", "contact_sync", *arguments]
        done = subprocess.run(
            command,
            env=self.airflow.settings,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode != 0:
            raise StackError(
                f"`python -m contact_sync {' '.join(arguments)}` ended with status "
                f"{done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
            )
        return done.stdout

    def status(self, sync: str) -> dict[str, Any]:
        """Return what the package reports of a sync and its runs, newest first."""
        return dict(json.loads(self.contact_sync("status", sync, "--json")))

    def wait_for_dag(self, dag_id: str) -> None:
        """Wait until Airflow has read the DAG's file. Raise StackError if that fails."""
        deadline = time.monotonic() + DAG_SECONDS
        while not self.airflow.api.knows_dag(dag_id):
            self.airflow.processes.check()
            if errors := self.airflow.api.import_errors():
                raise StackError("Airflow cannot read a DAG file:\n" + "\n".join(errors))
            if time.monotonic() > deadline:
                raise StackError(
                    f"Airflow did not find the DAG {dag_id} within {DAG_SECONDS:.0f} s. Its dag "
                    f"processor's log ends:\n{self.airflow.processes.tail('dag-processor')}"
                )
            time.sleep(LOOK_SECONDS)

    def unpause(self, dag_id: str) -> None:
        """Let the DAG's runs execute."""
        self.airflow.api.unpause(dag_id)

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run of the DAG through the scheduler and return its id."""
        return self.airflow.api.trigger(dag_id, conf)


def airflow_environment(
    directory: Path,
    server: Databases,
    emulator: Emulator,
    api_key: str,
    deployment: Path,
    airflow_port: int,
) -> dict[str, str]:
    """Return Airflow's settings and the three connections that the sync uses."""
    port = server.cluster.port
    state_role = OWNERS[STATE]
    settings = environment(
        home=directory / "airflow",
        port=airflow_port,
        database=server.airflow_url,
        dags=deployment / "dags",
        plugins=deployment / "plugins",
    )
    return settings | {
        "AIRFLOW_CONN_B2CORE_DEFAULT": postgres_connection(
            port=port, database=B2CORE, user=READER, password=server.passwords[READER]
        ),
        STATE_CONNECTION: postgres_connection(
            port=port, database=STATE, user=state_role, password=server.passwords[state_role]
        ),
        "AIRFLOW_CONN_SENDGRID_DEFAULT": sendgrid_connection(
            base_url=emulator.base_url, api_key=api_key
        ),
        "AIRFLOW_CONN_CONTACT_SYNC_HASH_KEY": hash_key_connection(api_key),
    }


def hash_key_connection(api_key: str) -> str:
    """Return the connection with the key of hashes: made of a secret that KEEP keeps, so that
    erased people stay known."""
    password = hashlib.sha256(f"hash key {api_key}".encode()).hexdigest()
    return json.dumps({"conn_type": "generic", "password": password})


def new_key() -> str:
    """Return an API key of SendGrid's form."""
    return f"SG.{secrets.token_urlsafe(16)}.{secrets.token_urlsafe(32)}"


def port_for(wanted: int | None, kept: int) -> int:
    """Return the port that is asked for, or the kept one, or any. StackError: it isn't free."""
    if wanted is not None and not is_free(wanted):
        raise StackError(f"Port {wanted} is in use, or not for you: choose another with PORT=…")
    return wanted or (kept if kept and is_free(kept) else free_port())


def free_or_any(kept: Kept | None, place: int) -> int:
    """Return a kept port of the emulator's if it is free; 0 lets the emulator choose."""
    return kept.ports[place] if kept and is_free(kept.ports[place]) else 0


def is_free(port: int) -> bool:
    """Return whether a server could listen on a port of this machine now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of one that just ended
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def free_port() -> int:
    """Return a port that nothing on this machine listens on, chosen at random."""
    for port in random.sample(PORTS, 100):
        if is_free(port):
            return port
    raise StackError(f"No free port between {PORTS.start} and {PORTS.stop} on this machine.")
