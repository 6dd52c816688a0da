"""The servers and the clients of a benchmark: one embedded PostgreSQL, one emulator, no Airflow."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from benchmarks.target import ROOT, Target
from contact_sync.state.migrate import migrate
from local.b2core_demo import READER, create_reader, create_schema, generate
from local.postgres.server import Cluster, temporary_cluster
from local.sendgrid_emulator.process import Emulator, start_emulator
from local.stack.account import furnish

STATE_ROLE = "contact_sync_state"
STATE_TEMPLATE, STATE = "state_template", "state"
SESSIONS = """SELECT count(*) FROM pg_stat_activity
              WHERE datname = %s AND backend_type = 'client backend'"""
BUSY = "SELECT active_time FROM pg_stat_database WHERE datname = %s"
ANSWER_AT_ONCE = {"finish_delay": 0.0}


@dataclass(slots=True)
class World:
    """A running PostgreSQL and emulator; `clients` = the number of clients of the database used."""

    cluster: Cluster
    emulator: Emulator
    password: str = field(repr=False)
    clients: int = 0
    made: set[int] = field(default_factory=set)

    @property
    def target(self) -> Target:
        """What the measured programs get."""
        database = f"b2core_{self.clients}"
        return Target(
            b2core_url=self.cluster.url(database, READER, self.password),
            state_url=self.cluster.url(STATE, STATE_ROLE, self.password),
            sendgrid_url=self.emulator.base_url,
            api_key=self.emulator.api_key,
        )

    @property
    def owner_url(self) -> str:
        """The administrator's way into B2CORE."""
        return self.cluster.url(f"b2core_{self.clients}")

    def populate(self, clients: int) -> None:
        """Use a B2CORE of so many clients from now on; it is made the first time."""
        self.clients = clients
        if clients in self.made:
            return
        self.made.add(clients)
        url = self.cluster.create_database(f"b2core_{clients}")
        create_schema(url)
        create_reader(url, self.password)
        generate(url, clients=clients)

    def start_over(self, *, store_only: bool) -> None:
        """Empty the state database and the SendGrid account."""
        with psycopg.connect(self.cluster.url(), autocommit=True) as connection:
            new, old = sql.Identifier(STATE), sql.Identifier(STATE_TEMPLATE)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(new))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, old))
        self.emulator.admin.reset()
        self.emulator.admin.settings(store_only=store_only)
        furnish(self.emulator.admin)

    def change(self, share: int, marker: str) -> int:
        """Rename every `share`-th client; returns how many."""
        with psycopg.connect(self.owner_url) as connection:
            cursor = connection.execute(
                "UPDATE b2core.clients SET last_name = %s WHERE id %% %s = 0", (marker, share)
            )
            return cursor.rowcount

    def b2core_busy_ms(self) -> float:
        """How long B2CORE's sessions have executed statements so far, in ms (active_time, since
        PostgreSQL 14); a session hands its part in when it ends, so that all are waited for."""
        database = f"b2core_{self.clients}"
        with psycopg.connect(self.cluster.url(), autocommit=True) as connection:
            for _ in range(500):
                (there,) = connection.execute(SESSIONS, [database]).fetchone() or (0,)
                if not there:
                    break
                time.sleep(0.01)
            else:
                raise TimeoutError(f"A session of {database} doesn't end")
            (busy,) = connection.execute(BUSY, [database]).fetchone() or (0.0,)
        return float(busy)

    def settle_down(self) -> None:
        """Write out what PostgreSQL still has to write, so that no program pays for another's."""
        with psycopg.connect(self.cluster.url(), autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def postgres(self) -> psutil.Process:
        """PostgreSQL's first process; its CPU times and its children's are those of the server."""
        pid_file = Path(self.cluster.directory, "data", "postmaster.pid")
        return psutil.Process(int(pid_file.read_text(encoding="ascii").split()[0]))


@contextmanager
def start_world() -> Iterator[World]:
    """Start both servers; everything is removed at the end."""
    password = secrets.token_urlsafe(16)
    key = f"SG.{secrets.token_urlsafe(16)}"
    with (
        temporary_cluster() as cluster,
        start_emulator(
            api_key=key, empty_cell="keep", delay=0, settings=ANSWER_AT_ONCE
        ) as emulator,
    ):
        make_state_template(cluster, password)
        yield World(cluster, emulator, password)


def make_state_template(cluster: Cluster, password: str) -> None:
    """A migrated state database to copy from, made by the role that the project ships."""
    with psycopg.connect(cluster.create_database(STATE_TEMPLATE), autocommit=True) as connection:
        connection.execute((ROOT / "include" / "sql" / "state" / "roles.sql").read_bytes())
        set_password = sql.SQL("ALTER ROLE {} PASSWORD {}")
        role = sql.Identifier(STATE_ROLE)
        connection.execute(set_password.format(role, sql.Literal(password)))
    migrate(cluster.url(STATE_TEMPLATE, STATE_ROLE, password))
