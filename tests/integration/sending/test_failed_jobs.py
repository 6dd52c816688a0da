"""Jobs that fail, or say too little of themselves: each client's fate is found out all the same."""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.base.vocabulary import RunKind
from contact_sync.run import in_one_process
from contact_sync.run.context import open_run
from contact_sync.run.send_batch import send_on
from contact_sync.run.sending import prepare, verify
from contact_sync.run.settle_earlier_runs import drain
from contact_sync.run.start_run import begin_run
from tests.support.steps import go_on, the_batch
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
CONTACTS = "/v3/marketing/contacts"
SUPPRESSIONS = "/v3/asm/suppressions/global"
UNLIST = "/v3/marketing/lists/{list_id}/contacts"
REFUSED = "contact: SendGrid: refused, no reason given"
POISON = "rejected: contact: SendGrid: its import failed"


def add_clients(world: World, n: int) -> list[str]:
    """Clients 1 to n; returns their addresses."""
    emails = [f"client{number}@example.com" for number in range(1, n + 1)]
    for email in emails:
        world.add(email, first_name="Zoë", status_id=1)
    return emails


def refuse_rows(world: World, *emails: str) -> None:
    """Contacts that SendGrid refuses to change: they have an identifier that the sync omits."""
    for number, email in enumerate(emails):
        world.emulator.admin.put_contacts({"email": email, "external_id": f"other {number}"})


@LANES
@pytest.mark.parametrize("bad", [{1}, {5}, {1, 8}, {4, 5, 6}])
def test_D06_bad_rows_are_found_and_the_others_confirmed(
    world: World, lane: str, bad: set[int]
) -> None:
    """In the same run, which is a success; the bad ones are rejected with a reason."""
    world.redefine(lane=lane)
    emails = add_clients(world, 8)
    poison = [emails[number - 1] for number in bad]
    world.emulator.admin.settings(poison_emails=poison)
    report = world.run()
    fates = world.fates()
    assert {client for client, fate in fates.items() if fate == POISON} == bad
    assert set(fates.values()) == {POISON, "confirmed"}
    assert set(world.contacts()) == set(emails) - set(poison)
    assert report["books"]["pending"] == 0
    assert world.run()["counts"]["sent"] == 0


def test_D06_one_bad_row_costs_at_most_two_jobs_a_level(world: World) -> None:
    """Failed jobs: the batch, its repetition, and one for each halving."""
    add_clients(world, 8)
    world.emulator.admin.settings(poison_emails=["client6@example.com"])
    world.run()
    failed = [job for job in world.emulator.admin.jobs() if job["status"] == "failed"]
    assert len(failed) == 2 + 3


@LANES
@pytest.mark.parametrize("clients", [1, 2, 9])
def test_C11_a_cause_that_is_no_contact_rejects_nobody_and_stops_soon(
    world: World, lane: str, clients: int
) -> None:
    """Every job fails: all are pending, the message names the likely causes."""
    world.redefine(lane=lane)
    emails = add_clients(world, clients)
    world.emulator.admin.settings(poison_emails=emails)
    with pytest.raises(FatalError, match="the plan's contact limit"):
        world.run()
    assert set(world.fates().values()) == {"pending: job_failed"}
    assert len(world.emulator.admin.jobs()) <= 8
    assert world.state("SELECT count(*) FROM contact_sync.outbox") == [(0,)]
    world.emulator.admin.settings(poison_emails=[])
    world.run()
    assert set(world.fates().values()) == {"confirmed"}


def test_C11_contacts_beyond_the_plans_limit_are_not_taken_for_bad_ones(world: World) -> None:
    """Some fit, several don't: these are pending and fit later."""
    add_clients(world, 6)
    world.emulator.admin.settings(contact_limit=3)
    with pytest.raises(FatalError, match="the plan's contact limit"):
        world.run()
    assert not [fate for fate in world.fates().values() if fate.startswith("rejected")]
    world.emulator.admin.settings(contact_limit=None)
    world.run()
    assert set(world.fates().values()) == {"confirmed"}


def test_D06_a_bad_row_among_changed_clients_keeps_its_former_contact_known(world: World) -> None:
    """An address that changed to a bad one: the old contact stays the client's."""
    add_clients(world, 4)
    world.run()
    world.sql("UPDATE b2core.clients SET first_name = 'New'")
    world.edit(2, email="bad@example.com")
    world.emulator.admin.settings(poison_emails=["bad@example.com"])
    world.run()
    assert world.fates()[2] == POISON
    world.emulator.admin.settings(poison_emails=[])
    world.edit(2, email="good@example.com")
    world.run()
    assert set(world.contacts()) == {f"{name}@example.com" for name in
                                     ("client1", "good", "client3", "client4")}  # fmt: skip


def test_D06_a_run_killed_in_the_middle_of_a_family_goes_on(world: World) -> None:
    """A new process continues with the first open batch; nothing is sent twice."""
    add_clients(world, 4)
    world.emulator.admin.settings(poison_emails=["client3@example.com"])
    with world.sync() as sync:
        run_id = begin_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="submit")
        root = the_batch(sync)
        before = len(world.emulator.admin.jobs())
        while send_on(sync, open_run(sync, run_id), root):
            if len(world.emulator.admin.jobs()) >= before + 3:
                break
    with world.sync() as sync:
        while send_on(sync, open_run(sync, run_id), root):
            continue
        go_on(sync, run_id, after="settle", before="finish")
    assert world.fates() == {1: "confirmed", 2: "confirmed", 3: POISON, 4: "confirmed"}
    assert len(world.emulator.admin.jobs()) == 2 + 4


def test_D06_an_earlier_runs_failed_batch_is_postponed_and_not_split(world: World) -> None:
    """Drain only settles; the next run sends its clients itself."""
    add_clients(world, 4)
    world.emulator.admin.job_fault("fails_halfway", after_rows=0)
    with world.sync() as sync:
        run_id = begin_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="settle")
        later = begin_run(sync, RunKind.INCREMENTAL, holder="later", take_over=True)
        while drain(sync, open_run(sync, later)) is not None:
            continue
    assert set(world.fates().values()) == {"pending: job_failed"}
    assert world.state("SELECT count(*) FROM contact_sync.batch") == [(1,)]
    world.run(take_over=True)
    assert set(world.fates().values()) == {"confirmed"}


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
    refuse_rows(world, "client2@example.com")
    world.redefine(lane=lane)
    add_clients(world, 3)
    report = world.run()
    assert (report["books"]["confirmed"], report["books"]["rejected"]) == (2, 1)
    assert world.fates()[2].startswith("rejected: contact: SendGrid: ")


@LANES
def test_D05_when_more_remain_than_were_refused_they_are_pending(world: World, lane: str) -> None:
    """The search lags: nobody is rejected for that, and the next run sends them again."""
    world.emulator.admin.settings(errors_url=False, search_lag=3600)
    refuse_rows(world, "client2@example.com")
    world.redefine(lane=lane)
    add_clients(world, 3)
    assert world.run()["books"]["pending"] == 3
    assert set(world.fates().values()) == {"pending: not_applied"}
    world.emulator.admin.settings(errors_url=True, search_lag=0)
    world.run()
    assert world.run()["books"]["rejected"] == 1


def test_D05_a_large_batch_without_errors_file_is_split(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many to read back: halves are sent until the pieces are small enough."""
    monkeypatch.setattr("contact_sync.run.sending.settle.MAX_READ_BACK", 2)
    world.emulator.admin.settings(errors_url=False)
    refuse_rows(world, "client2@example.com")
    add_clients(world, 4)
    report = world.run()
    assert [job["outcome"] for job in report["jobs"]] == [
        "split in halves", "1 confirmed, 1 rejected", "2 confirmed, 0 rejected",
    ]  # fmt: skip
    assert report["rejections"] == {REFUSED: 1}


@LANES
def test_D07_rows_that_a_completed_job_dropped_are_sent_again(world: World, lane: str) -> None:
    """The counts don't add up, so all are read back: who isn't there is pending, not rejected."""
    world.redefine(lane=lane)
    add_clients(world, 4)
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
    world: World, lane: str, kind: str
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
        patch.setattr("contact_sync.run.sending.settle.MAX_READ_BACK", 2)
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
def test_D12_a_forgotten_job_leaves_its_clients_pending(world: World, lane: str, kind: str) -> None:
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


@pytest.mark.parametrize("body", ["{}", '{"job_id": ""}', "accepted"])
def test_C06_a_202_without_a_job_id_is_of_unknown_fate(world: World, body: str) -> None:
    """The call is repeated; nobody is lost."""
    world.seed()
    world.emulator.admin.fault("PUT", CONTACTS, status=202, body=body)
    assert world.run()["books"]["confirmed"] == 4
    world.assert_converged()


def test_F04_who_was_excluded_deleted_or_moved_since_the_reading_is_not_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source is looked at again before the first byte; the others are sent."""
    monkeypatch.setattr(prepare, "MAX_AGE_SECONDS", -1e9)
    add_clients(world, 4)
    plan = in_one_process.plan_run

    def meanwhile(*args: Any) -> list[int]:
        planned = plan(*args)
        world.sql("DELETE FROM b2core.clients WHERE id = 1")
        world.edit(2, email="moved@example.com")
        return planned

    monkeypatch.setattr(in_one_process, "plan_run", meanwhile)
    world.run()
    assert set(world.contacts()) == {"client3@example.com", "client4@example.com"}
    assert world.fates()[2] == "pending: changed_since_read"
    monkeypatch.undo()
    world.run()
    assert "moved@example.com" in world.contacts()


@LANES
def test_B03_an_opt_out_is_carried_over_before_the_new_address_exists(
    world: World, lane: str
) -> None:
    """Suppressed first, then uploaded."""
    world.redefine(lane=lane)
    add_clients(world, 2)
    world.run()
    world.emulator.admin.suppress("client1@example.com")
    world.edit(1, email="moved@example.com")
    world.run()
    assert "moved@example.com" in world.emulator.admin.suppressions()
    routes = [(c["method"], c["route"]) for c in world.emulator.admin.calls()]
    upload = ("PUT", CONTACTS) if lane == "json" else ("PUT", "/imports/{job_id}")
    last = len(routes) - 1 - routes[::-1].index(upload)
    assert routes.index(("POST", SUPPRESSIONS)) < last


def test_B03_an_opt_out_that_cannot_be_carried_over_keeps_the_new_address_back(
    world: World,
) -> None:
    """403: pending, not uploaded; the others are."""
    add_clients(world, 2)
    world.run()
    world.emulator.admin.suppress("client1@example.com")
    world.edit(1, email="moved@example.com")
    world.edit(2, first_name="New")
    world.emulator.admin.add_key("SG.sees-only-0123456789", "sees_suppressions")
    world.emulator.admin.fault("POST", SUPPRESSIONS, status=403)
    world.run()
    assert world.fates()[1] == "pending: suppression_not_carried"
    assert set(world.contacts()) == {"client1@example.com", "client2@example.com"}
    world.run()
    assert "moved@example.com" in world.contacts()
    assert "moved@example.com" in world.emulator.admin.suppressions()


def test_F01_a_former_lists_members_are_taken_off_it(world: World) -> None:
    """The contacts stay; also when one vanished between look-up and call."""
    world.redefine(on_list_change="unlist")
    add_clients(world, 3)
    world.run()
    former = world.list_id
    world.list_id = world.emulator.admin.create_list("Another list")
    world.redefine(list="Another list")
    world.emulator.admin.fault("DELETE", UNLIST, status=404)
    world.run("full")
    held = world.contacts()
    assert len(held) == 3
    assert all(former not in contact["list_ids"] for contact in held.values())
    assert all(world.list_id in contact["list_ids"] for contact in held.values())


def test_F01_a_former_list_that_is_gone_needs_nothing(world: World) -> None:
    """404 and no such list: the batch is settled."""
    world.redefine(on_list_change="unlist")
    add_clients(world, 2)
    world.run()
    world.emulator.admin.create_list("Another list")
    world.redefine(list="Another list")
    world.delete_at_sendgrid(f"lists/{world.list_id}")
    report = world.run("full")
    assert [job["outcome"] for job in report["jobs"] if job["lane"] == "unlist"] == [
        "the list is gone"
    ]
