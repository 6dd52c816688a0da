"""What a rebuild saves when an account is full and the ledger empty: with it, and without.

python -m benchmarks.rebuild_savings [--clients 100000]

The account holds every client as B2CORE calls for it, save one in a hundred that has changed since;
the state database is empty. Prints calls to SendGrid, contacts sent, and seconds.
"""

# a script that prints what it measured
from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import perf_counter

import psycopg
from psycopg import sql

from benchmarks.world import STATE, STATE_TEMPLATE, World, start_world
from contact_sync.b2core.reader import B2Core
from contact_sync.base.paths import INCLUDE
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.files import read_definition
from contact_sync.run.in_one_process import run_sync
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state.database import StateDatabase
from contact_sync.state.runs import Options, load_run
from contact_sync.sync import Sync
from contact_sync.verify.in_one_process import verify_sync

SHARE = 100
"""One of so many clients has changed."""


def main() -> int:
    """Measure both, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=100_000)
    clients = parser.parse_args().clients
    with start_world() as world:
        world.populate(clients)
        world.start_over(store_only=False)
        _load(world)
        for number, rebuild in enumerate((False, True)):
            world.change(SHARE, f"Changed {number}")
            _lose_state(world)
            calls, begun = len(world.emulator.admin.calls()), perf_counter()
            if rebuild:
                with _open(world) as sync:
                    verify_sync(sync, holder="benchmark", rebuild=True)
            sent = _load(world)
            seconds = perf_counter() - begun
            made = len(world.emulator.admin.calls()) - calls
            what = "with a rebuild" if rebuild else "without"
            sys.stdout.write(f"{what}: {sent} contacts sent, {made} calls, {seconds:.1f} s\n")
    return 0


def _load(world: World) -> int:
    """Run the sync; returns how many contacts it has sent."""
    with _open(world) as sync:
        run_id = run_sync(
            sync, RunKind.INCREMENTAL, holder="benchmark", options=Options(approve=True)
        )
        plan = load_run(sync.state, run_id).plan
    return plan.counts["to_send"] if plan else 0


def _lose_state(world: World) -> None:
    with psycopg.connect(world.cluster.url(), autocommit=True) as connection:
        new, old = sql.Identifier(STATE), sql.Identifier(STATE_TEMPLATE)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(new))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, old))


@contextmanager
def _open(world: World) -> Iterator[Sync]:
    target, definition = world.target, read_definition("demo")
    api = SendGridApi(target.sendgrid_url, target.api_key)
    source = B2Core(target.b2core_url, INCLUDE / "sql" / "b2core", 3600)
    with closing(api), StateDatabase(target.state_url).keeping_connections() as state:
        yield Sync(definition, source, state, api)


if __name__ == "__main__":
    sys.exit(main())
