"""C and D: what SendGrid answers to calls, and how its jobs end."""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.base.errors import FatalError, FateUnknown
from contact_sync.base.vocabulary import RunKind
from contact_sync.run import in_one_process
from contact_sync.run.context import open_run
from contact_sync.run.release_lease import release_lease
from contact_sync.run.sending.poll_job import settle_batch
from contact_sync.run.start_run import start_run
from local.sendgrid_emulator.model.job_faults import JobFaultKind
from tests.support.steps import go_on, the_batch
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
JOB = "/v3/marketing/contacts/imports/{job_id}"
IMPORTS = "/v3/marketing/contacts/imports"
CONTACTS = "/v3/marketing/contacts"


@pytest.mark.parametrize(
    ("lane", "method", "route", "header"),
    [
        ("json", "GET", "/v3/scopes", "x-ratelimit-reset"),
        ("json", "GET", "/v3/marketing/field_definitions", "retry-after"),
        ("json", "PUT", CONTACTS, "x-ratelimit-reset"),
        ("json", "GET", JOB, "retry-after"),
        ("csv", "PUT", IMPORTS, "x-ratelimit-reset"),
    ],
)
def test_C07_a_rate_limit_is_waited_out(
    world: World, lane: str, method: str, route: str, header: str
) -> None:
    """429, then success: one run, nothing twice."""
    world.redefine(lane=lane)
    world.seed()
    world.emulator.admin.fault(method, route, status=429, headers={header: "0"})
    world.run()
    assert world.calls(method, route)[0]["status"] == 429
    world.assert_converged()
    assert len(world.emulator.admin.jobs()) == 1


def test_C06_a_5xx_after_the_effect_is_repeated_and_converges(world: World) -> None:
    """PUT contacts may have worked: it is sent again, and no client is lost or left open."""
    world.seed()
    world.emulator.admin.fault("PUT", CONTACTS, status=503, when="after")
    report = world.run()
    assert len(world.calls("PUT", CONTACTS)) == 2
    assert report["books"]["confirmed"] == 4
    world.assert_converged()


@pytest.mark.parametrize("key", ["email", "identifier"])
def test_C09_a_400_that_names_addresses_rejects_these_and_sends_the_others(
    world: World, key: str
) -> None:
    """Named with a reason in books and report, not sent again until the row changes."""
    for number in range(1, 4):
        world.add(f"client{number}@example.com")
    world.refuse("client2@example.com", key=key)
    report = world.run()
    assert set(world.contacts()) == {"client1@example.com", "client3@example.com"}
    reason = "refused_by_sendgrid: email … is not valid"
    assert report["rejections"] == {f"contact: {reason}": 1}
    assert world.fates()[2] == f"rejected: contact: {reason}"
    assert world.run()["counts"]["sent"] == 0
    assert world.run("full")["counts"]["sent"] == 0
    world.edit(2, first_name="Ana")
    assert world.run()["counts"]["sent"] == 1
    world.assert_converged()


@pytest.mark.parametrize("status", [401, 403, 404])
def test_C08_a_refused_call_delays_nothing(world: World, status: int) -> None:
    """A refusal proves that nothing was stored: the next run needs no quarantine."""
    world.redefine(deadlines={"job_hours": 1, "quarantine_minutes": 1})
    world.seed()
    world.emulator.admin.fault("PUT", CONTACTS, status=status)
    with pytest.raises(FatalError, match=str(status)):
        world.run()
    report = world.run()
    assert report["seconds"] < 30
    world.assert_converged()


@pytest.mark.parametrize(
    ("lane", "layout", "form"),
    [("json", "uploaded", {}), ("csv", "uploaded", {"errors_gzip": True}), ("csv", "short", {}),
     ("json", "json", {"errors_gzip": True}), ("csv", "json", {}),
     ("csv", "uploaded", {"errors_separator": ";", "errors_encoding": "utf-16"}),
     ("json", "odd", {"errors_separator": "\t", "errors_upper": True}),
     ("csv", "json_lines", {"errors_encoding": "utf-8-sig", "errors_gzip": True})],
)  # fmt: skip
def test_D04_an_errored_job_rejects_the_bad_rows_and_confirms_the_others(
    world: World, lane: str, layout: str, form: dict[str, Any]
) -> None:
    """With SendGrid's reason; the rejected ones are tried again when their rows change."""
    world.emulator.admin.settings(errors_layout=layout, **form)
    world.refuse_rows("client2@example.com")
    world.redefine(lane=lane)
    for number in range(1, 4):
        world.add(f"client{number}@example.com")
    report = world.run()
    reason = "refused_by_sendgrid: all existing identifiers of the contact must be present"
    assert report["rejections"] == {f"contact: {reason}": 1}
    assert (report["books"]["confirmed"], report["books"]["rejected"]) == (2, 1)
    assert world.fates()[2] == f"rejected: contact: {reason}"
    world.emulator.admin.settings(identifiers="ignore")
    assert world.run()["counts"]["sent"] == 0
    world.edit(2, first_name="Ana")
    world.run()
    assert world.contacts()["client2@example.com"]["first_name"] == "Ana"


@LANES
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_D06_a_job_that_fails_once_is_sent_again(world: World, lane: str, rows: int) -> None:
    """However far it got, nothing is confirmed by it; the second job is like any other."""
    world.redefine(lane=lane)
    for number in range(1, 5):
        world.add(f"client{number}@example.com")
    if rows:
        world.refuse_rows("client1@example.com")
    world.emulator.admin.job_fault("fails_halfway", after_rows=rows, job=lane)
    report = world.run()
    assert report["jobs"][0]["status"] == "failed"
    assert len(report["jobs"]) == 2
    assert report["books"]["rejected"] == (1 if rows else 0)
    assert len(world.contacts()) == 4


@LANES
def test_D06_a_job_that_refused_every_row_rejects_every_client(world: World, lane: str) -> None:
    """SendGrid calls it failed; its errors file names everybody, so nobody is pending."""
    world.redefine(lane=lane)
    emails = [f"client{number}@example.com" for number in range(1, 4)]
    world.refuse_rows(*emails)
    for email in emails:
        world.add(email)
    assert world.run()["books"]["rejected"] == 3


@LANES
def test_C11_the_contact_limit_of_the_plan_fails_the_run(world: World, lane: str) -> None:
    """The message names the usual cause; once there is room, everybody is sent."""
    world.redefine(lane=lane)
    world.seed()
    world.emulator.admin.settings(contact_limit=2)
    with pytest.raises(FatalError, match="the plan's contact limit"):
        world.run()
    world.emulator.admin.settings(contact_limit=None)
    world.run()
    world.assert_converged()


@LANES
@pytest.mark.parametrize("kind", ["never_starts", "never_finishes"])
def test_D03_a_job_without_an_end_makes_its_clients_pending(
    world: World, lane: str, kind: JobFaultKind
) -> None:
    """After the deadline the run ends, says so, and the next one sends them again."""
    world.redefine(lane=lane, deadlines={"job_hours": 0.0002, "quarantine_minutes": 0})
    world.seed()
    world.emulator.admin.job_fault(kind, job=lane)
    report = world.run()
    assert (report["books"]["confirmed"], report["books"]["pending"]) == (0, 4)
    assert report["jobs"][0]["outcome"] == "job_never_ended"
    assert world.run()["counts"]["sent"] == 4
    world.assert_converged()


@LANES
def test_D12_a_job_that_sendgrid_does_not_know_counts_as_unknown(world: World, lane: str) -> None:
    """404: nothing is confirmed; the next run sends again."""
    world.redefine(lane=lane)
    world.seed()
    world.forget_a_job()
    assert world.run()["books"]["pending"] == 4
    assert world.run()["counts"]["sent"] == 4
    world.assert_converged()


def test_a_run_that_ends_in_doubt_is_continued_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last try of unknown fate ends the run with an error; the next run converges."""
    monkeypatch.setattr(in_one_process, "MAX_SUBMITS", 1)
    world.seed()
    world.emulator.admin.fault("PUT", CONTACTS, status=500)
    with pytest.raises(FateUnknown, match="SendGrid answered 500"):
        world.run()
    world.run()
    world.assert_converged()


@pytest.mark.parametrize("body", ["{}", '{"job_id": ""}', "accepted"])
def test_C06_a_202_without_a_job_id_is_of_unknown_fate(world: World, body: str) -> None:
    """The call is repeated; nobody is lost."""
    world.seed()
    world.emulator.admin.fault("PUT", CONTACTS, status=202, body=body)
    assert world.run()["books"]["confirmed"] == 4
    world.assert_converged()


def test_D02_a_job_that_outlasts_the_run_is_followed_by_the_next(world: World) -> None:
    """Neither success nor failure: nobody is confirmed, and nothing is sent a second time."""
    world.seed()
    world.emulator.admin.settings(delay=2.0)
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="impatient")
        go_on(sync, run_id, before="settle")
        assert not settle_batch(sync, open_run(sync, run_id), the_batch(sync))
        release_lease(sync, run_id, "not waited for any longer")
    assert "confirmed" not in world.fates().values()
    written = world.writes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("contact_sync.run.settle_earlier_runs.POLL_SECONDS", 1.0)
        assert world.run()["counts"]["sent"] == 0
    assert world.writes() == written
    world.assert_converged()
