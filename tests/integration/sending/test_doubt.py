"""Jobs that say less than they did: nothing is believed that would lose or overwrite a value."""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.base.errors import ConfigError, FateUnknown
from contact_sync.base.vocabulary import RunKind
from contact_sync.run import in_one_process
from contact_sync.run.context import open_run
from contact_sync.run.finish_run import finish_run
from contact_sync.run.sending import verify
from contact_sync.run.start_run import start_run
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state.settling import ENOUGH_TRIES
from local.sendgrid_emulator.model.job_faults import JobFaultKind
from tests.support.steps import go_on
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
JOB = "/v3/marketing/contacts/imports/{job_id}"
CONTACTS = "/v3/marketing/contacts"
LONG = "a" * 60 + "@" + "b" * 50 + ".example.com"  # more than search/emails takes


def test_D12_a_proxys_page_says_nothing_about_a_job(world: World) -> None:
    """404 with a page: asked again, and the same run follows the job to its end."""
    world.add("ann@example.com")
    page = {"body": "<html>not here</html>", "headers": {"content-type": "text/html"}}
    world.emulator.admin.fault("GET", JOB, status=404, **page)
    assert world.run()["books"]["confirmed"] == 1
    assert len(world.emulator.admin.jobs()) == 1


def test_C03_a_stored_file_whose_answer_was_lost_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as for a job with an answer, however short the quarantine of JSON calls is."""
    world.redefine(lane="csv", deadlines={"job_hours": 1.0, "quarantine_minutes": 0.0})
    world.add("ann@example.com", first_name="Old")
    world.emulator.admin.job_fault("slow", job="csv", seconds=1.0)
    upload = SendGridApi.upload

    def unanswered(*arguments: Any) -> None:
        upload(*arguments)
        raise FateUnknown("reset after the file was stored")

    monkeypatch.setattr(SendGridApi, "upload", unanswered)
    report = world.run()
    assert (report["books"]["confirmed"], len(report["jobs"])) == (1, 1)
    world.assert_converged()


@pytest.mark.parametrize("lane", ["json", pytest.param("csv", marks=pytest.mark.slow)])
def test_D04_D07_rows_that_an_errored_job_dropped_are_sent_again(world: World, lane: str) -> None:
    """Four sent, the last one refused and named, the first two dropped without a word: these two
    are pending."""
    world.redefine(lane=lane)
    world.state("TRUNCATE contact_sync.outbox")  # else rows fill the places of former ones
    for n in range(4):
        world.add(f"client{n}@example.com")
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="submit")
        order = "ORDER BY client_id" if lane == "json" else ""  # a CSV file has none
        emails = [row[0] for row in world.state(f"SELECT email FROM contact_sync.outbox {order}")]
        world.emulator.admin.settings(refused_emails={emails[-1]: "no"})
        world.emulator.admin.job_fault("drops_rows", job=lane, rows=2)
        go_on(sync, run_id, before="finish", after="exclude")
        finish_run(sync, open_run(sync, run_id))
    books = world.report(run_id)["books"]
    assert (books["confirmed"], books["rejected"], books["pending"]) == (1, 1, 2)
    assert world.run()["books"]["confirmed"] == 3
    assert set(world.contacts()) == set(emails[:-1])


def test_D07_an_address_that_cannot_be_searched_is_not_sent_for_ever(world: World) -> None:
    """A repetition is counted nowhere and can't be read back: the job's word is enough."""
    world.add(LONG)
    world.run()
    world.run("resend")
    assert world.run()["counts"]["sent"] == 0
    assert world.fates() == {1: "confirmed"}


def test_D07_a_contact_that_is_never_applied_is_rejected_in_the_end(world: World) -> None:
    """Pending isn't for ever; the rejection is held like any other, and a change ends it."""
    client = world.add("ann@example.com")
    for _ in range(ENOUGH_TRIES):
        assert set(world.fates().values()) <= {"pending: not_applied"}
        world.emulator.admin.job_fault("drops_rows", job="json")
        world.run()
    reason = "never_applied"
    assert world.fates() == {client: f"rejected: contact: {reason}"}
    assert world.run()["counts"]["sent"] == 0
    world.edit(client, first_name="Changed")
    world.run()
    world.assert_converged()


def test_C09_a_400_that_names_another_field_of_a_contact_rejects_it(world: World) -> None:
    """In SendGrid's words, once it has been tried by itself; the others are sent."""
    for n in range(3):
        world.add(f"client{n}@example.com")
    says = "length should be less than 50"
    world.emulator.admin.settings(refused_contacts={"client1@example.com": says})
    world.run()
    reason = "refused_by_sendgrid: length should be less than …"
    assert world.fates()[2] == f"rejected: contact: {reason}"
    assert set(world.contacts()) == {"client0@example.com", "client2@example.com"}


def test_D05_an_errors_file_on_an_unknown_host_is_not_needed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It isn't fetched; who was refused is found by reading back, and no run stops for it."""
    for n in range(3):
        world.add(f"client{n}@example.com")
    world.emulator.admin.settings(refused_emails={"client1@example.com": "no"})

    def elsewhere(*_: Any) -> bytes:
        raise ConfigError("errors_url leads to a host that isn't allowed")

    monkeypatch.setattr(SendGridApi, "errors_file", elsewhere)
    with world.sync() as sync:
        in_one_process.run_sync(sync, RunKind.FULL, holder="test")
    books = world.report()["books"]
    assert (books["confirmed"], books["rejected"], books["pending"]) == (2, 1, 0)


@LANES
@pytest.mark.parametrize(
    "setting",
    [{"errors_url": False}, {"errors_lifetime": 0.0}, {"errors_file": "missing"},
     {"errors_file": "truncated", "errors_gzip": True}, {"errors_file": "bomb"},
     {"errors_file": "wide"}, {"errors_file": "not_utf8"}, {"errors_left_out": 1}],
    ids=str,
)  # fmt: skip
def test_D05_without_a_usable_errors_file_contacts_are_read_back(
    world: World, lane: str, setting: dict[str, Any]
) -> None:
    """Right ones are confirmed; as many as SendGrid refused remain, and are rejected."""
    world.emulator.admin.settings(**setting)
    world.refuse_rows("client2@example.com")
    world.redefine(lane=lane)
    world.add_clients(3)
    report = world.run()
    assert (report["books"]["confirmed"], report["books"]["rejected"]) == (2, 1)
    assert world.fates()[2].startswith("rejected: contact: refused_by_sendgrid")


@LANES
def test_D05_when_more_remain_than_were_refused_they_are_pending(world: World, lane: str) -> None:
    """The search lags: nobody is rejected for that, and the next run sends them again."""
    world.emulator.admin.settings(errors_url=False, search_lag=3600)
    world.refuse_rows("client2@example.com")
    world.redefine(lane=lane)
    world.add_clients(3)
    assert world.run()["books"]["pending"] == 3
    assert set(world.fates().values()) == {"pending: not_applied"}
    world.emulator.admin.settings(errors_url=True, search_lag=0)
    world.run()
    assert world.run()["books"]["rejected"] == 1


def test_D05_a_large_batch_without_errors_file_is_split(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many to read back: halves are sent until the pieces are small enough."""
    monkeypatch.setattr("contact_sync.run.sending.judge.MAX_READ_BACK", 2)
    world.emulator.admin.settings(errors_url=False)
    world.refuse_rows("client2@example.com")
    world.add_clients(4)
    report = world.run()
    assert [(job["outcome"], job["numbers"]) for job in report["jobs"]] == [
        ("split", None),
        ("applied", {"confirmed": 1, "rejected": 1, "not_applied": 0}),
        ("applied", {"confirmed": 2, "rejected": 0, "not_applied": 0}),
    ]
    assert report["rejections"] == {"contact: refused_by_sendgrid": 1}


@LANES
def test_D07_rows_that_a_completed_job_dropped_are_sent_again(world: World, lane: str) -> None:
    """The counts don't add up, so all are read back: who isn't there is pending, not rejected."""
    world.redefine(lane=lane)
    world.add_clients(4)
    world.emulator.admin.job_fault("drops_rows", rows=2, job=lane)
    assert world.run()["books"] | {"gone": 0} == {
        "selected": 4, "confirmed": 2, "pending": 2, "rejected": 0, "excluded": 0, "gone": 0,
    }  # fmt: skip
    assert world.run()["counts"]["sent"] == 2
    assert set(world.fates().values()) == {"confirmed"}
    assert len(world.contacts()) == 4


@LANES
@pytest.mark.parametrize("kind", ["short_counts", "no_results"])
def test_D07_counts_that_are_too_low_alone_hold_nobody_up(
    world: World, lane: str, kind: JobFaultKind
) -> None:
    """Everything was applied and is read back as sent."""
    world.redefine(lane=lane)
    world.seed()
    world.emulator.admin.job_fault(kind, job=lane)
    assert world.run()["books"]["pending"] == 0
    world.assert_converged()


def test_D07_rows_that_change_nothing_are_counted_nowhere(world: World) -> None:
    """A resend of what SendGrid has already is confirmed, also when only a sample is read back."""
    world.seed()
    world.run()
    assert world.run("resend")["books"]["pending"] == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("contact_sync.run.sending.judge.MAX_READ_BACK", 2)
        patch.setattr(verify, "MAX_READ_BACK", 2)
        assert world.run("resend")["books"]["pending"] == 0
    world.assert_converged()


def test_D09_a_lagging_search_never_rejects_and_the_next_run_confirms(world: World) -> None:
    """Read back too early: sent again, converged afterwards."""
    world.seed()
    world.emulator.admin.settings(search_lag=3600)
    world.emulator.admin.job_fault("drops_rows", rows=1)
    world.run()
    assert {fate for fate in world.fates().values() if "not_applied" in fate} == {
        "pending: not_applied"
    }
    world.emulator.admin.settings(search_lag=0)
    world.run()
    world.assert_converged()


@LANES
@pytest.mark.parametrize("kind", ["forgotten", "forgotten_at_once"])
def test_D12_a_forgotten_job_leaves_its_clients_pending(
    world: World, lane: str, kind: JobFaultKind
) -> None:
    """404 is neither done nor failed; sending again converges."""
    world.redefine(lane=lane)
    world.seed()
    world.emulator.admin.job_fault(kind, job=lane)
    assert world.run()["books"]["pending"] == 4
    world.run()
    world.assert_converged()


@LANES
def test_D08_an_unknown_status_is_waited_out(world: World, lane: str) -> None:
    """It counts as pending until the known one comes."""
    world.redefine(lane=lane)
    world.seed()
    world.emulator.admin.job_fault("unknown_status", job=lane, seconds=0.3)
    assert world.run()["books"]["confirmed"] == 4


def test_D08_a_status_that_stays_unknown_ends_at_the_deadline(world: World) -> None:
    """Pending, and sent again by the next run."""
    world.redefine(deadlines={"job_hours": 0.0002, "quarantine_minutes": 0})
    world.seed()
    world.emulator.admin.job_fault("unknown_status")
    assert world.run()["jobs"][0]["outcome"] == "job_never_ended"
    world.run()
    world.assert_converged()
