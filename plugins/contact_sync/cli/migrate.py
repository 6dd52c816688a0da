"""The command `migrate`: create or upgrade the state database's schema, or say what is missing."""

from __future__ import annotations

import argparse

from contact_sync.cli.command import PROGRAM, Say
from contact_sync.state.database import SCHEMA_VERSION
from contact_sync.state.migrate import migrate
from contact_sync.state.pending import Pending, as_sql, pending

ABOUT = """\
It is one transaction: it happens as a whole, or not at all. Run it while no sync is at work.
Nothing undoes a migration: to go back to the older code, restore the backup that was made before
(docs/production.md)."""
EXAMPLES = {
    "migrate": "with the connection contact_sync_state",
    "migrate --check": "say what is missing; changes nothing",
    "migrate --sql > pending.sql": "for an administrator who runs it with psql",
}
CODES = "0 done, or nothing is missing; 1 something is wrong or missing; 2 wrong usage"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument(
        "--connection",
        default="contact_sync_state",
        metavar="ID",
        help="Airflow connection id (default: %(default)s)",
    )
    only = command.add_mutually_exclusive_group()
    only.add_argument(
        "--check",
        action="store_true",
        help="list what is missing, if anything: then exit code 1",
    )
    only.add_argument(
        "--sql", action="store_true", help="print the SQL of the missing migrations, run nothing"
    )


def answer(options: argparse.Namespace, say: Say) -> int:
    """Migrate, or look; returns the exit code. Raises as `migrate` and `pending` do."""
    from contact_sync.airflow_edge.dsn import postgres_dsn

    dsn = postgres_dsn(options.connection)
    if options.sql:
        say(as_sql(pending(dsn)) or f"-- Nothing is missing: version {SCHEMA_VERSION}")
        return 0
    if options.check:
        return _check(pending(dsn), options.connection, say)
    migrate(dsn)
    say("The state database's schema is up to date")
    return 0


def _check(database: Pending, connection: str, say: Say) -> int:
    if not database.steps:
        say(f"Nothing is missing: the state database's schema is at version {SCHEMA_VERSION}")
        return 0
    found = f"at version {database.found}" if database.found else "not there yet"
    say(f"The state database's schema is {found}, this code needs {SCHEMA_VERSION}. Missing:")
    for number, meaning in database.steps:
        say(f"  {number}  {meaning}")
    say(f"Back the database up, then: {PROGRAM} migrate --connection {connection}")
    return 1
