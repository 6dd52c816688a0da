"""What goes wrong once a run sends, as Chromium shows it: which contacts are where, in numbers that
add up, why a run waits, and what the next run made of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from contact_sync.base.errors import SyncError
from contact_sync.run import in_one_process
from contact_sync.run.select_clients import select_clients
from contact_sync.sendgrid import retries, transport
from contact_sync.state import database
from tests.integration.sending.test_unknown_fates import an_hour_passes
from tests.support.rendered import Glance, Show, Shown, sum_of
from tests.support.world import World

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("no_dags_seen")]
CONTACTS = "/v3/marketing/contacts"
AWAY = "postgresql://nobody@127.0.0.1:9/none"
RUNS = "/syncs/demo/runs"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is tried again, and no call after a pause."""
    monkeypatch.setattr(in_one_process, "MAX_READS", 1)
    monkeypatch.setattr(in_one_process, "MAX_SUBMITS", 1)
    tried = retries.retried
    monkeypatch.setattr(transport, "retried", lambda call, _seconds, tell: tried(call, 0.0, tell))


def failed(world: World) -> int:
    """A run that ends with an error; returns its id."""
    with pytest.raises(SyncError):
        world.run()
    return int(world.report()["id"])


def at_pauses(monkeypatch: pytest.MonkeyPatch, look: Callable[[], None]) -> None:
    """Look whenever a run waits for longer than for its own job."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds) if seconds < 1 else look()

    monkeypatch.setattr(in_one_process, "time", SimpleNamespace(sleep=sleep))


def assert_done_by(page: Shown, run_id: int) -> None:
    """Its advice has been followed by this run."""
    assert f"Done: run {run_id} (test) continued from the same state and succeeded" in page
    assert page.links[f"run {run_id}"] == f"{RUNS}/{run_id}"


def test_rows_that_sendgrid_refuses_are_told_with_their_clients(
    connected: World, shown: Show, glance: Glance
) -> None:
    """Single rows by their reason, then one that fails every job; the advice leads to the list. The
    next run knows no news of it, and whose row changes is sent."""
    emails = connected.add_clients(5)
    connected.refuse_rows(*emails[:2])
    first = connected.run()["id"]
    page = shown("admin", f"{RUNS}/{first}")
    assert sum_of(page) == {"to send": 5, "confirmed": 3, "rejected by SendGrid": 2}
    for part in (
        "degraded It succeeded, with something that you should know.",
        "Rejected clients: 2. Correct them in B2CORE; each is sent as soon as its row changes, and "
        "whom SendGrid refused is tried again by itself, ever more rarely.",
        "SendGrid's own counts of the jobs: 3 created, 0 updated, 2 errored.",
        "5 clients in B2CORE = 3 confirmed + 0 pending + 2 rejected + 0 excluded.",
        "contact: SendGrid refused it: all existing identifiers of the contact must be present 2 "
        "client 1, client 2",
    ):
        assert part in page, part
    assert "Demo brokerage degraded 2 clients are rejected. Run 1" in glance("admin", "/syncs")
    listed = glance("admin", page.links["Rejected clients"])
    assert "must be present 2 only these" in listed
    assert "1 client1@example.com contact" in listed

    poison = connected.add("client6@example.com")
    connected.emulator.admin.settings(poison_emails=["client6@example.com"])
    connected.add("client7@example.com")
    second = connected.run()["id"]
    page = glance("admin", f"{RUNS}/{second}")
    assert sum_of(page) == {"to send": 2, "confirmed": 1, "rejected by SendGrid": 1}
    alone = f"every import that contains it fails at SendGrid 1 client {poison} client6@example.com"
    assert alone in page
    assert "Rejected clients: 3." in page
    assert f"Out of date: run {second} (test) has newer numbers" in glance("admin", f"{RUNS}/1")

    connected.emulator.admin.settings(poison_emails=[])
    connected.edit(poison, first_name="Changed")
    third = connected.run()["id"]
    assert sum_of(glance("admin", f"{RUNS}/{third}")) == {"to send": 1, "confirmed": 1}
    every = glance("admin", "/syncs")
    assert "Demo brokerage healthy" in every
    assert "Confirmed 5 of 7 clients" in every


@pytest.mark.slow
def test_jobs_that_fail_as_a_whole_are_named_and_everybody_is_pending(
    connected: World, glance: Glance
) -> None:
    """With what SendGrid's UI has of it; the next run sends them."""
    connected.emulator.admin.settings(poison_emails=connected.add_clients(3))
    run_id = failed(connected)
    page = glance("admin", f"{RUNS}/{run_id}")
    cause = "The import jobs of batches 4, 5, 6 failed as a whole at SendGrid."
    assert f"Why it failed: {cause} Their clients are pending and the next run sends them" in page
    assert "the plan's contact limit and a field whose type was changed" in page
    assert sum_of(page) == {"to send": 3, "pending": 3}
    assert "failed its job failed; sent again in another one" in page
    assert cause in glance("admin", "/syncs")
    connected.emulator.admin.settings(poison_emails=[])
    assert_done_by_the_next(connected, glance, run_id)


def assert_done_by_the_next(world: World, glance: Glance, run_id: int) -> None:
    """Of three contacts the next run confirms each, and both pages say so."""
    newer = world.run()["id"]
    assert sum_of(glance("admin", f"{RUNS}/{newer}")) == {"to send": 3, "confirmed": 3}
    page = glance("admin", f"{RUNS}/{run_id}")
    assert_done_by(page, newer)
    assert sum_of(page) == {"to send": 3, "pending": 3}
    assert "Demo brokerage healthy" in glance("admin", "/syncs")


def test_an_answer_that_was_lost_is_in_doubt_until_the_next_run_knows(
    connected: World, shown: Show, glance: Glance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run says what it waits for and until when; then nobody is in doubt any more."""
    connected.redefine(deadlines={"job_hours": 1, "quarantine_minutes": 30})
    connected.add_clients(3)
    connected.emulator.admin.fault("PUT", CONTACTS, reset=True, when="after")
    run_id = failed(connected)
    page = glance("admin", f"{RUNS}/{run_id}")
    assert sum_of(page) == {"to send": 3, "with SendGrid, not known yet": 3}
    for part in (
        "PUT /v3/marketing/contacts: the connection was lost before an answer came, so what "
        "SendGrid did isn't known. It passes by itself",
        "Nothing to do for the 3 contacts that SendGrid has or may have: the next run finds out",
    ):
        assert part in page, part
    looks: list[Shown] = []

    def look() -> None:
        waiting = f"{RUNS}/{connected.report()['id']}"
        looks[:] = [shown("admin", waiting), glance("admin", f"{RUNS}/{run_id}")]
        looks.append(glance("admin", "/syncs"))
        an_hour_passes(connected)

    at_pauses(monkeypatch, look)
    assert_done_by_the_next(connected, glance, run_id)
    waiting, former, every = looks
    assert "running This page follows it" in waiting
    assert "It finds out what became of what earlier runs sent." in waiting
    assert "no answer came: it may still take effect at SendGrid, so nothing newer is" in waiting
    assert "What has been sent Nothing so far." in waiting
    assert f"Out of date: run {run_id + 1} (test) is at work now" in former
    assert f"Demo brokerage failed at work: run {run_id + 1}" in every


@pytest.mark.slow
def test_too_many_requests_are_waited_out_and_at_last_told(
    connected: World, shown: Show, glance: Glance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the run waits: until when. After its last try nothing was sent, and nothing is lost."""
    connected.add_clients(3)
    connected.emulator.admin.fault(
        "PUT", CONTACTS, status=429, times=9, headers={"retry-after": "40"}
    )
    looks: list[Shown] = []

    def patient(call: Callable[[], Any], seconds: float, tell: retries.TellWait) -> Any:
        def told(why: str, pause: float) -> None:
            tell(why, pause)
            if not looks:
                looks.append(shown("admin", f"{RUNS}/{connected.report()['id']}"))

        return retries.retrying(seconds, told).copy(sleep=lambda _seconds: None)(call)

    monkeypatch.setattr(transport, "retried", patient)
    run_id = failed(connected)
    (waiting,) = looks
    assert "A call waits, because of this: PUT /v3/marketing/contacts: rate limit" in waiting
    assert "It is tried again at " in waiting
    assert sum_of(waiting) == {"to send": 3, "with SendGrid, not known yet": 3}
    page = glance("admin", f"{RUNS}/{run_id}")
    assert "Why it failed: PUT /v3/marketing/contacts: rate limit reached (429). It passes" in page
    assert sum_of(page) == {"to send": 3, "not sent yet": 3}
    connected.emulator.admin.clear_faults()
    assert_done_by_the_next(connected, glance, run_id)


@pytest.mark.slow
def test_a_job_that_never_ends_is_given_up_at_its_deadline(
    connected: World, shown: Show, glance: Glance
) -> None:
    """Its clients are pending, and why; the next run sends them again."""
    connected.redefine(deadlines={"job_hours": 0.0001, "quarantine_minutes": 0})
    connected.add_clients(3)
    connected.emulator.admin.job_fault("never_finishes")
    run_id = connected.run()["id"]
    page = shown("admin", f"{RUNS}/{run_id}")
    assert sum_of(page) == {"to send": 3, "pending": 3}
    for part in (
        "Pending clients: 3. The next run sends them. Why: of 3, its import job didn't end before "
        "the deadline.",
        "3 clients in B2CORE = 0 confirmed + 3 pending + 0 rejected + 0 excluded.",
    ):
        assert part in page, part
    every = glance("admin", "/syncs")
    assert "Demo brokerage degraded 3 clients are pending, the next run sends them. Run 1" in every
    assert "(3 clients are pending; the snapshot that counts: " in every
    connected.redefine(deadlines={"job_hours": 1, "quarantine_minutes": 0})
    newer = connected.run()["id"]
    assert sum_of(glance("admin", f"{RUNS}/{newer}")) == {"to send": 3, "confirmed": 3}
    assert f"Out of date: run {newer} (test) has newer" in glance("admin", f"{RUNS}/{run_id}")
    assert "Demo brokerage healthy" in glance("admin", "/syncs")


def test_a_state_database_that_goes_away_in_the_middle_and_comes_back(
    connected: World, shown: Show, glance: Glance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages say what to touch. The run can't note its end; once it has given no sign of life for 15
    minutes its page says so, and the next one takes over."""
    connected.add_clients(3)
    reached = database.connect

    def away(sync: Any, run: Any) -> int:
        monkeypatch.setattr(database, "is_alive", lambda _connection: False)
        monkeypatch.setattr(
            database, "connect", lambda _dsn, kind, **more: reached(AWAY, kind, **more)
        )
        return select_clients(sync, run)

    with monkeypatch.context() as patch:
        patch.setattr(in_one_process, "select_clients", away)
        with pytest.raises(SyncError):
            connected.run()
    cause = "The state database can't be reached. Nothing listens there: correct the connection's"
    named = "The Airflow connection is 'contact_sync_state'"
    for page in (glance("admin", f"{RUNS}/1", 503), shown("admin", "/syncs"),
                 glance("admin", "/syncs/demo")):  # fmt: skip
        assert cause in page
        assert named in page
        assert "nobody" not in page, "what the connection's URL says"
        assert "Traceback" not in page
    monkeypatch.setattr(database, "connect", reached)
    page = glance("admin", f"{RUNS}/1")
    assert "running" in page
    assert "Nothing: it is at work." in page
    connected.state("UPDATE contact_sync.sync SET lease_until = now() - interval '1 second'")
    assert "The run has given no sign of life for 15 minutes." in glance("admin", f"{RUNS}/1")
    newer = connected.run()["id"]
    assert sum_of(glance("admin", f"{RUNS}/{newer}")) == {"to send": 3, "confirmed": 3}
    page = glance("admin", f"{RUNS}/1")
    assert "superseded" in page
    assert f"run {newer}" in page
    assert "Demo brokerage healthy" in glance("admin", "/syncs")
