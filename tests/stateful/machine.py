"""Any history of a sync: a back office that edits, a SendGrid that fails, runs that die or overlap.

Hypothesis draws the steps. At the end of each history the edits and faults stop; then contacts must
be what the oracle says, the books balance, and a further run has nothing to do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import Any, LiteralString

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from contact_sync.base.errors import SyncError
from local.b2core_demo.rows import add_address, add_client, add_phone
from tests.stateful import child
from tests.stateful.drawn import (
    CAPTIONS,
    CITIES,
    EMAILS,
    FAULTS,
    JOB_FAULTS,
    MODES,
    NAMES,
    PHONES,
    POINTS,
    ROUTES,
    STANDSTILLS,
    WHO,
)
from tests.support.allowed_calls import forbidden_calls
from tests.support.world import World

OPTED_OUT = "opted out"
MOST_CLEAN_RUNS = 6
QUARANTINE_MINUTES = 0.01  # longer than the slowest job above
EDIT_OPTIONS = "-c lock_timeout=50ms"  # a row that the open transaction holds is left alone


class History(RuleBasedStateMachine):
    """Steps in any order. `fresh` gives a world with an empty B2CORE, state and account."""

    fresh: Any
    """Set by the test: a function without arguments that returns a World."""

    incremental_only = False

    def __init__(self) -> None:
        super().__init__()
        self.world: World = self.fresh()
        self.late: psycopg.Connection | None = None
        self.zombie: BaseProcess | None = None
        self.take_over = False

    @initialize(lane=st.sampled_from(["auto", "csv"]), clients=st.lists(EMAILS, max_size=4))
    def begin(self, lane: str, clients: list[str | None]) -> None:
        """One client that always stays, and some others; perhaps already loaded."""
        self.world.redefine(
            lane=lane, deadlines={"job_hours": 1.0, "quarantine_minutes": QUARANTINE_MINUTES}
        )
        for email in ("stays@example.com", *clients):
            self.register(email)

    # A back office -------------------------------------------------------------------------------

    @contextlib.contextmanager
    def office(self) -> Iterator[psycopg.Connection]:
        """One transaction of a back office, given up when another one holds the row."""
        with (
            contextlib.suppress(psycopg.errors.LockNotAvailable),
            psycopg.connect(self.world.b2core_url, options=EDIT_OPTIONS) as connection,
        ):
            yield connection

    def edit(self, statement: LiteralString, **values: Any) -> None:
        """One statement of a back office."""
        with self.office() as connection:
            connection.execute(statement, values)

    def client(self, n: int) -> int:
        """One of the clients that are there."""
        ids = [row[0] for row in self.world.sql("SELECT id FROM b2core.clients ORDER BY id")]
        return int(ids[n % len(ids)])

    @rule(email=EMAILS)
    def register(self, email: str | None) -> None:
        """A new client."""
        with self.office() as connection:
            add_client(connection, email=email)

    @rule(n=WHO, name=NAMES, bumped=st.booleans())
    def rename(self, n: int, name: str | None, bumped: bool) -> None:
        """With or without a new time stamp."""
        self.edit(
            """UPDATE b2core.clients SET first_name = %(name)s,
                   updated_at = CASE WHEN %(bumped)s THEN now() ELSE updated_at END
               WHERE id = %(id)s""",
            id=self.client(n), name=name, bumped=bumped,
        )  # fmt: skip

    @rule(n=WHO, email=EMAILS)
    def move(self, n: int, email: str | None) -> None:
        """A new address, perhaps somebody's."""
        change = "UPDATE b2core.clients SET email = %(email)s WHERE id = %(id)s AND id <> 1"
        self.edit(change, id=self.client(n), email=email)

    @rule(n=WHO, m=WHO)
    def swap(self, n: int, m: int) -> None:
        """Two clients exchange their addresses."""
        self.edit(
            """UPDATE b2core.clients AS c SET email = other.email FROM b2core.clients AS other
               WHERE (c.id, other.id) IN ((%(n)s, %(m)s), (%(m)s, %(n)s))""",
            n=self.client(n), m=self.client(m),
        )  # fmt: skip

    @rule(n=WHO, out=st.booleans())
    def opt(self, n: int, out: bool) -> None:
        """Out, or in again."""
        change = "UPDATE b2core.clients SET last_name = %(name)s WHERE id = %(id)s"
        self.edit(change, id=self.client(n), name=OPTED_OUT if out else "Lee")

    @rule(n=WHO, phone=PHONES)
    def add_phone(self, n: int, phone: str) -> None:
        """The client's own row stays as it is."""
        with self.office() as connection:
            add_phone(connection, self.client(n), phone)

    @rule(n=WHO, city=CITIES)
    def add_city(self, n: int, city: str | None) -> None:
        """The client's own row stays as it is."""
        with self.office() as connection:
            add_address(connection, self.client(n), city=city, line1="Weg 1")

    @rule(n=WHO)
    def drop_phones(self, n: int) -> None:
        """Deleted rows leave no trace that an incremental run sees."""
        if not self.incremental_only:
            self.edit(
                "DELETE FROM b2core.client_phones WHERE client_id = %(id)s", id=self.client(n)
            )

    @rule(caption=CAPTIONS)
    def rename_level(self, caption: str) -> None:
        """A lookup value, which everyone shows."""
        change = "UPDATE b2core.verification_levels SET caption = %(caption)s WHERE id = 1"
        self.edit(change, caption=caption)

    @rule(n=WHO)
    def delete(self, n: int) -> None:
        """Any but the first: that B2CORE is empty is believed by nobody."""
        self.edit("DELETE FROM b2core.clients WHERE id = %(id)s AND id <> 1", id=self.client(n))

    @precondition(lambda self: self.late is None)
    @rule(n=WHO, name=st.sampled_from(["Late", "Later", None]))
    def edit_without_commit(self, n: int, name: str | None) -> None:
        """A transaction that stays open while runs read. Not of an address: each run sees all."""
        who = self.client(n)
        self.late = psycopg.connect(self.world.b2core_url)
        self.late.execute("UPDATE b2core.clients SET first_name = %s WHERE id = %s", (name, who))

    @precondition(lambda self: self.late is not None)
    @rule(commit=st.booleans())
    def end_transaction(self, commit: bool) -> None:
        """It commits late, or not at all."""
        assert self.late is not None
        (self.late.commit if commit else self.late.rollback)()
        self.late.close()
        self.late = None

    # SendGrid's bad days -------------------------------------------------------------------------

    @rule(route=ROUTES, what=FAULTS, nth=st.integers(1, 3))
    def break_a_call(self, route: tuple[str, str], what: dict[str, Any], nth: int) -> None:
        """One of the next calls goes wrong."""
        self.world.emulator.admin.fault(*route, nth=nth, **what)

    @rule(what=JOB_FAULTS, job=st.sampled_from(["json", "csv", "delete", "list_removal", None]))
    def break_a_job(self, what: dict[str, Any], job: Any) -> None:
        """The next job of a kind goes wrong."""
        self.world.emulator.admin.job_fault(job=job, **what)

    # Runs ----------------------------------------------------------------------------------------

    def mode(self, wanted: str) -> str:
        """The kind of run that this machine makes."""
        return "incremental" if self.incremental_only else wanted

    @rule(mode=MODES, retry_rejected=st.booleans())
    def run(self, mode: str, retry_rejected: bool) -> None:
        """A whole run. Without a fault that waits for it, it has to succeed."""
        disturbed = any(self.world.emulator.admin.faults().values())
        take_over, self.take_over = self.take_over, False
        try:
            self.world.run(self.mode(mode), take_over=take_over, retry_rejected=retry_rejected)
        except SyncError:
            if not disturbed:
                raise
            return
        if self.late is None:
            self.assert_no_excluded_on_the_list()

    @rule(mode=MODES, point=st.sampled_from(POINTS), how=st.sampled_from(["KILL", "KILL", "TERM"]))
    def run_that_dies(self, mode: str, point: str, how: str) -> None:
        """A real process, killed or stopped at a point if it gets there."""
        child.start(self.world, point, how, self.mode(mode), take_over=self.take_over)
        self.take_over = True

    @precondition(lambda self: self.zombie is None)
    @rule(mode=MODES, point=st.sampled_from(STANDSTILLS))
    def run_that_sleeps(self, mode: str, point: str) -> None:
        """A real process that stands still at a point; others will take its lease."""
        started = child.start(self.world, point, "STOP", self.mode(mode), take_over=self.take_over)
        self.take_over = True
        if started.is_alive():
            self.zombie = started

    @precondition(lambda self: self.zombie is not None)
    @rule()
    def wake_up(self) -> None:
        """It goes on where it stood: to its end if nobody took its lease, else to a refusal."""
        assert self.zombie is not None
        child.wake(self.zombie)
        self.zombie = None

    # What must be true ---------------------------------------------------------------------------

    def excluded(self) -> set[int]:
        """Who has opted out."""
        query = "SELECT id FROM b2core.clients WHERE last_name = %s"
        return {row[0] for row in self.world.sql(query, OPTED_OUT)}

    def assert_no_excluded_on_the_list(self) -> None:
        """G4, after every run that succeeded: nobody with an excluded client's address."""
        query = "SELECT lower(btrim(email)) FROM b2core.clients WHERE last_name = %s"
        barred = {row[0] for row in self.world.sql(query, OPTED_OUT)}
        for email, contact in self.world.contacts().items():
            assert not (email in barred and self.world.list_id in contact["list_ids"])

    def quiesce(self) -> None:
        """Edits and faults stop, sleepers wake up, and runs follow until two have nothing to do: a
        client that is gone is believed at the second look."""
        if self.late is not None:
            self.end_transaction(commit=True)
        if self.zombie is not None:
            self.wake_up()
        self.world.emulator.admin.clear_faults()
        idle = 0
        for _ in range(MOST_CLEAN_RUNS):
            report = self.world.run(self.mode("full"), take_over=True, retry_rejected=True)
            idle = idle + 1 if report["counts"]["sent"] == 0 and not report["jobs"] else 0
            if idle == 2:
                return
        raise AssertionError(f"Not done after {MOST_CLEAN_RUNS} clean runs")

    def teardown(self) -> None:
        """G1 and G2 at the end of the history."""
        try:
            self.quiesce()
            self.world.assert_converged(unlisted=None, excluded=self.excluded())
            self.world.assert_dropped(excluded=self.excluded())
            books = self.world.report()["books"]
            fates = sum(books[fate] for fate in ("confirmed", "pending", "rejected", "excluded"))
            assert (books["selected"], books["pending"]) == (fates, 0)
            assert self.world.state("SELECT count(*) FROM contact_sync.outbox") == [(0,)]
            assert forbidden_calls(self.world.emulator.admin.calls()) == []
        finally:
            if self.zombie is not None:
                self.zombie.kill()
                self.zombie.join(child.JOIN_SECONDS)
            if self.late is not None:
                self.late.close()


class WithoutFullRuns(History):
    """Incremental runs alone, but for the first: they must see whatever leaves a trace."""

    incremental_only = True
