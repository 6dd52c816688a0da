"""Any history of a sync: a back office that edits, a SendGrid that fails, runs that die or overlap.

Hypothesis draws the steps. At the end of each history the edits and faults stop; then contacts must
be what the oracle says, the books balance, and a further run has nothing to do.
"""

from __future__ import annotations

import time
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from contact_sync.base.errors import SyncError
from tests.stateful import child, promises
from tests.stateful.drawn import FAULTS, JOB_FAULTS, MODES, POINTS, ROUTES, STANDSTILLS
from tests.stateful.office import OPTED_OUT, SHARED_ADDRESS
from tests.stateful.people import PeopleAtSendGrid
from tests.support.allowed_calls import forbidden_calls
from tests.support.steps import staged
from tests.support.true_numbers import assert_true_numbers

MOST_CLEAN_RUNS = 6


class History(PeopleAtSendGrid):
    """Edits, faults at SendGrid, people who work there by hand, and runs, in any order."""

    runs = steps = 0
    unproven = False
    """What the sync believes may be wrong, and no run has made all equal since."""

    # SendGrid's bad days -------------------------------------------------------------------------

    @rule(route=ROUTES, what=FAULTS, nth=st.integers(1, 3))
    def break_a_call(self, route: tuple[str, str], what: dict[str, Any], nth: int) -> None:
        """One of the next calls goes wrong."""
        self.may_return()
        self.world.emulator.admin.fault(*route, nth=nth, **what)

    @rule(what=JOB_FAULTS, job=st.sampled_from(["json", "csv", "delete", "list_removal", None]))
    def break_a_job(self, what: dict[str, Any], job: Any) -> None:
        """The next job of a kind goes wrong."""
        self.may_return()
        self.broke_jobs = True
        self.world.emulator.admin.job_fault(job=job, **what)

    # Runs ----------------------------------------------------------------------------------------

    def mode(self, wanted: str) -> str:
        """The kind of run that this machine makes."""
        return "incremental" if self.incremental_only else wanted

    @rule(mode=MODES, retry_rejected=st.booleans())
    def run(self, mode: str, retry_rejected: bool) -> None:
        """A whole run. Without a fault that waits for it, it has to succeed."""
        disturbed = self.is_disturbed()
        if mode == "resend" and not self.incremental_only:
            self.may_return()
        self.attempt(mode, disturbed=disturbed, retry_rejected=retry_rejected)

    def attempt(self, mode: str, *, disturbed: bool, retry_rejected: bool = False) -> None:
        """A whole run, and what must be true after it has succeeded."""
        take_over, self.take_over, self.runs = self.take_over, False, self.runs + 1
        self.steps = 0
        try:
            with child.patience():
                report = self.world.run(
                    self.mode(mode), take_over=take_over, retry_rejected=retry_rejected
                )
        except SyncError:
            if not disturbed:
                raise
            return
        assert_true_numbers(self.world)
        self.succeeded(report)
        if self.late is None and not self.lag and not self.unproven and not self.told(report):
            self.assert_no_excluded_on_the_list()
        assert not self.by_hand & self.listed()
        assert promises.changed_strangers(self) == []

    def told(self, report: dict[str, Any]) -> bool:
        """Whether SendGrid left a removal undone, which the run says: the next one does it."""
        return self.broke_jobs and any("excluded clients" in what for what in report["degraded"])

    def succeeded(self, report: dict[str, Any]) -> None:
        """What a run that succeeded ends."""
        self.list_is_new = False
        self.orphans -= set(self.people().values())
        all_sent = report["kind"] == "resend" and report["books"]["pending"] == 0
        if all_sent and self.zombie is None and self.late is None:
            self.needs_resend = self.unproven = False

    @invariant()
    def go_on(self) -> None:
        """After each step; a run begins after so many without one."""
        self.watch()
        self.steps += 1
        if self.steps > self.every:
            self.attempt("incremental", disturbed=self.is_disturbed())

    @rule(out=st.integers(0, 1), back=st.booleans())
    def consents_of_two(self, out: int, back: bool) -> None:
        """Two new clients of one address: one withdraws after a quiet run, and perhaps consents
        again; each time the next run, and no full one, has to see to it."""
        if self.is_disturbed() or self.zombie is not None or self.late is not None:
            return
        before = set(self.ids())
        self.register(SHARED_ADDRESS)
        self.register(SHARED_ADDRESS)
        pair = sorted(set(self.ids()) - before)
        for name in (None, OPTED_OUT, *(["Lee"] if back else [])):
            if name is not None:
                change = "UPDATE b2core.clients SET last_name = %(name)s WHERE id = %(id)s"
                self.edit(change, id=pair[out], name=name)
            self.run(mode="incremental", retry_rejected=False)

    @rule(mode=MODES, point=st.sampled_from(POINTS), how=st.sampled_from(["KILL", "KILL", "TERM"]))
    def run_that_dies(self, mode: str, point: str, how: str) -> None:
        """A real process, killed or stopped at a point if it gets there."""
        self.may_return()
        self.runs += 1
        child.start(self.world, point, how, self.mode(mode), take_over=self.take_over, lag=self.lag)
        self.take_over = True

    @precondition(lambda self: self.zombie is None)
    @rule(mode=MODES, point=st.sampled_from(STANDSTILLS))
    def run_that_sleeps(self, mode: str, point: str) -> None:
        """A real process that stands still at a point; others will take its lease."""
        self.may_return()
        self.runs += 1
        started = child.start(
            self.world, point, "STOP", self.mode(mode), take_over=self.take_over, lag=self.lag
        )
        self.take_over = True
        if started.is_alive():
            self.zombie = started

    @precondition(lambda self: self.zombie is not None)
    @rule()
    def wake_up(self) -> None:
        """It goes on where it stood: to its end if nobody took its lease, else to a refusal."""
        assert self.zombie is not None
        self.may_return()
        child.wake(self.zombie)
        self.zombie = None

    # What must be true ---------------------------------------------------------------------------

    def assert_no_excluded_on_the_list(self) -> None:
        """G4, after every run that succeeded and says nothing of it: nobody with an excluded
        client's address."""
        query = "SELECT id, lower(btrim(email)) FROM b2core.clients WHERE last_name = %s"
        rows = self.world.sql(query, OPTED_OUT)
        barred = {email for ident, email in rows if ident not in self.erased}
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
            time.sleep(self.lag and self.lag + child.LAG_MARGIN)
            kind = "resend" if self.needs_resend else self.mode("full")
            with child.patience():
                report = self.world.run(kind, take_over=True, retry_rejected=True)
            self.succeeded(report)
            idle = idle + 1 if report["counts"]["sent"] == 0 and not report["jobs"] else 0
            if idle == 2:
                return
        raise AssertionError(f"Not done after {MOST_CLEAN_RUNS} clean runs")

    def teardown(self) -> None:
        """G1 and G2 at the end of the history."""
        try:
            self.quiesce()
            self.watch()
            assert promises.broken(self) == []
            self.world.assert_dropped(self.excluded(), (), self.erased)
            books = self.world.report()["books"]
            fates = sum(books[fate] for fate in ("confirmed", "pending", "rejected", "excluded"))
            assert (books["selected"], books["pending"]) == (fates, 0)
            assert staged(self.world) == (0, 0)
            assert forbidden_calls(self.world.emulator.admin.calls()) == []
            assert self.world.audit.wrong(self.world) == []
        finally:
            self.end_zombie()
            if self.late is not None:
                self.late.close()
            self.patch.undo()

    def end_zombie(self) -> None:
        """Kill the process that stands still."""
        if self.zombie is not None:
            self.zombie.kill()
            self.zombie.join(child.JOIN_SECONDS)
            self.zombie = None


class WithoutFullRuns(History):
    """Incremental runs alone, but for the first: they must see whatever leaves a trace."""

    incremental_only = True
