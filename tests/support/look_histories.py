"""Random histories of B2CORE, in which each run that reads only what changed is compared with one
that reads everything in the same snapshot.

What SendGrid makes of a run is drawn, too, and written into the ledger as runs write it, so that a
history takes a second: whole runs are tested elsewhere.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from contact_sync.b2core.reader import Snapshot
from contact_sync.base.json_columns import Result
from contact_sync.base.source_look import Look, LookWhy
from contact_sync.base.vocabulary import RunKind, RunState
from contact_sync.contacts.selection import EXCLUDED, PASSED_OVER, SHARED
from contact_sync.postgres import arrow_reader
from contact_sync.run import select_clients
from contact_sync.run.context import open_run
from contact_sync.run.decide_look import Decided
from contact_sync.run.start_run import start_run
from contact_sync.state import leases, row_counts, runs
from contact_sync.state.runs import Run
from contact_sync.sync import Sync
from tests.support.source_writers import ADDRESSES, Writers, writer
from tests.support.world import World

CLIENTS, STEPS = 10, 9


@dataclass
class Histories:
    """Histories of one world; `looks`: how often B2CORE was read how far, and why."""

    world: World
    sync: Sync
    rng: random.Random
    writers: Writers
    destination: Any
    looks: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    rows: dict[int, set[str]] = field(default_factory=dict)
    seen: Any = None
    selection: Any = None

    def history(self) -> None:
        """A first load, then edits and runs."""
        self.writers.end()
        self.world.sql("TRUNCATE b2core.clients RESTART IDENTITY CASCADE")
        self.world.state(
            "TRUNCATE contact_sync.ledger, contact_sync.removal, contact_sync.run,"
            " contact_sync.row_count, contact_sync.looked_at CASCADE"
        )
        self.world.state("UPDATE contact_sync.sync SET watermark = NULL")
        for _ in range(CLIENTS):
            self.world.add(self.rng.choice(ADDRESSES))
        for _ in range(STEPS):
            self.run()
            for _ in range(self.rng.choice([0, 0, 1, 1, 2, 4])):
                self.writers.edit(self.rng)
            if self.rng.random() < 0.04:
                self.writers.reload(self.rng)
            if self.rng.random() < 0.4:
                self.writers.end()

    def run(self) -> None:
        """Choose as a run does, and write down what became of the chosen ones; some runs fail."""
        run_id = start_run(self.sync, RunKind.INCREMENTAL, holder="test")
        with self.sync.state.transaction() as cursor:
            runs.save_destination(cursor, run_id, self.destination)
        select_clients.select_clients(self.sync, open_run(self.sync, run_id))
        run = open_run(self.sync, run_id)
        assert run.snapshot is not None
        self.looks[f"{run.snapshot.look} {run.snapshot.look_why}"] += 1
        fails = self.rng.random() < 0.03
        with self.sync.state.transaction() as cursor:
            for client, address, verdict in zip(*self.chosen(), strict=True):
                if not (fails and self.rng.random() < 0.5):
                    self.settle(cursor, run, client, address, verdict)
            cursor.execute("DELETE FROM contact_sync.ledger WHERE absent > 1")
            if not fails:
                runs.advance_watermark(cursor, run, run.snapshot, run.destination)  # type: ignore[arg-type]
            state = RunState.FAILED if fails else RunState.SUCCEEDED
            runs.finish_run(cursor, run, state, result=Result())
            leases.release_lease(cursor, run)

    def chosen(self) -> list[list[int]]:
        """Ids, address hashes and verdicts."""
        table = self.selection.members
        return [table.column(n).to_pylist() for n in ("client_id", "email_hash", "verdict")]

    def settle(self, cursor: Any, run: Run, client: int, address: int, verdict: int) -> None:
        """Write a client's new fate, as drawn among those that its verdict allows."""
        found = cursor.execute(
            "SELECT state, reason FROM contact_sync.ledger WHERE sync_id = %s AND client_id = %s",
            (run.sync_id, client),
        ).fetchone()
        state, reason = self.fate(client, verdict, address, found)
        if state == "confirmed":
            cursor.execute(RELEASE, {"sync_id": run.sync_id, "client": client, "hash": address})
        is_rejected, is_confirmed = state == "rejected", state == "confirmed"
        values = {
            "sync_id": run.sync_id, "client": client, "state": state, "hash": address,
            "reason": reason, "field": "email" if is_rejected else None,
            "rejected": is_rejected, "confirmed": is_confirmed,
            "bare": state in ("shared", "excluded"),
        }  # fmt: skip
        cursor.execute(SETTLE, values)

    def fate(
        self, client: int, verdict: int, address: int, before: dict[str, Any] | None
    ) -> tuple[str, str | None]:
        """State and reason."""
        was = before or {"state": "", "reason": None}
        stays = was["state"], was["reason"]
        if verdict & EXCLUDED:
            scan = self.seen.scan
            is_own = bool(scan.excluded[np.searchsorted(scan.client_id, client)])
            return "excluded", "excluded_by_b2core" if is_own else "excluded_address"
        if verdict & SHARED:
            keeps = verdict & PASSED_OVER or was["reason"] != "refused_by_sendgrid"
            return stays if was["state"] == "rejected" and keeps else ("shared", None)
        if address == 0:
            return "rejected", "missing"
        if was["state"] == "rejected" and was["reason"] != "missing" and self.rng.random() < 0.5:
            return stays
        return self.rng.choice(
            [("confirmed", None)] * 5
            + [("rejected", "invalid"), ("rejected", "refused_by_sendgrid"),
               ("pending", "job_failed")]
        )  # fmt: skip

    def both_ways(self, *asked: Any) -> Any:
        """What a run sees that reads only what changed, compared with one that reads everything:
        it finds every client with a row that is new since the snapshot before, and chooses the
        same ones."""
        sync, run, snapshot, seen, _, _, mark = asked
        short, before = LOOK_AT_CHANGES(*asked), self.rows
        self.rows = rows_of_clients(snapshot)
        long = LOOK_AT_ALL(sync, run, snapshot, seen, WHOLE, mark)
        if not self.writers.uncounted:
            self.compared += 1
            found = set(short.changed.tolist())
            new = {client for client, rows in self.rows.items() if rows - before.get(client, set())}
            assert new <= found
            lost = {client for client, rows in before.items() if rows - self.rows.get(client, rows)}
            assert lost <= found or not self.has_counted(run)
            same = replace(long, changed=short.changed)
            assert self.outcome(run, short) == self.outcome(run, same)
        return short

    def has_counted(self, run: Run) -> bool:
        """Whether it is known how many rows each client had."""
        with self.sync.state.transaction() as cursor:
            return row_counts.newest(cursor, run.sync_id, run.run_id) is not None

    def whole(self, *asked: Any) -> Any:
        """What a run sees that reads everything."""
        self.rows = rows_of_clients(asked[2])
        return LOOK_AT_ALL(*asked)

    def outcome(self, run: Run, seen: Any) -> tuple[Any, ...]:
        """Whom a run chooses with which verdict, who is gone, and how many clients there are."""
        chosen = SELECT(self.sync.definition, run, seen)
        members = chosen.members.sort_by("client_id").to_pylist()
        return members, sorted(chosen.gone.tolist()), seen.rest + len(seen.scan.client_id)

    def select(self, definition: Any, run: Run, seen: Any) -> Any:
        """Choose, and keep what was seen and chosen."""
        self.seen, self.selection = seen, SELECT(definition, run, seen)
        return self.selection


def rows_of_clients(snapshot: Snapshot) -> dict[int, set[str]]:
    """Client → the versions of the rows that its contact is made of."""
    found = arrow_reader.table(snapshot.connection, VERSIONS, "B2CORE").to_pylist()
    return {row["id"]: set(row["rows"].split()) for row in found}


VERSIONS = """SELECT c.id, concat_ws(' ', 'c' || c.xmin::text, 's' || s.xmin::text,
    (SELECT string_agg('p' || p.xmin::text, ' ') FROM b2core.client_phones AS p
     WHERE p.client_id = c.id),
    (SELECT string_agg('a' || a.xmin::text || ' o' || o.xmin::text, ' ')
     FROM b2core.client_addresses AS a JOIN b2core.countries AS o ON o.id = a.country_id
     WHERE a.client_id = c.id)) AS rows
FROM b2core.clients AS c JOIN b2core.client_statuses AS s ON s.id = c.status_id"""
LOOK_AT_CHANGES, LOOK_AT_ALL = select_clients._look_at_changes, select_clients._look_at_all
SELECT = select_clients._select
WHOLE = Decided(Look.WHOLE, LookWhy.COUNTS)
RELEASE = """UPDATE contact_sync.ledger
SET email = NULL, contact_hash = NULL, email_hash = 0, row_hash = NULL, filled = 0
WHERE sync_id = %(sync_id)s AND contact_hash = %(hash)s AND client_id <> %(client)s"""
SETTLE = """INSERT INTO contact_sync.ledger AS l (
    sync_id, client_id, state, email_hash, reason, field, rejected_since, email, contact_hash,
    row_hash
) VALUES (
    %(sync_id)s, %(client)s, %(state)s, %(hash)s, %(reason)s, %(field)s,
    CASE WHEN %(rejected)s THEN now() END, CASE WHEN %(confirmed)s THEN 'a contact' END,
    CASE WHEN %(confirmed)s THEN %(hash)s::bigint END, CASE WHEN %(confirmed)s THEN 1 END
) ON CONFLICT (sync_id, client_id) DO UPDATE SET
    state = excluded.state, email_hash = excluded.email_hash, reason = excluded.reason,
    field = excluded.field, rejected_since = excluded.rejected_since,
    row_hash = excluded.row_hash,
    email = CASE
        WHEN %(bare)s THEN NULL WHEN %(confirmed)s THEN excluded.email ELSE l.email END,
    contact_hash = CASE
        WHEN %(bare)s THEN NULL WHEN %(confirmed)s THEN excluded.contact_hash
        ELSE l.contact_hash
    END"""
"""As the statements of include/sql/state/ write it."""


@contextmanager
def histories(world: World, seed: int) -> Iterator[Histories]:
    """Histories in a world that has run once, drawn from a seed."""
    with ExitStack() as stack:
        prompt, lagging, slow = (stack.enter_context(writer(world.b2core_url)) for _ in range(3))
        sync = stack.enter_context(world.sync())
        with sync.state.transaction() as cursor:
            destination = runs.read_sync(cursor, world.definition.name).destination
        found = Histories(
            world, sync, random.Random(seed), Writers(prompt, lagging, slow), destination
        )  # fmt: skip
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(select_clients, "_look_at_changes", found.both_ways)
        patch.setattr(select_clients, "_look_at_all", found.whole)
        patch.setattr(select_clients, "_select", found.select)
        yield found
