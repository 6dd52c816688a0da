"""Jobs: when they take effect, what they show on the way, and how they can go wrong."""

from __future__ import annotations

from typing import Any

from tests.support.api_caller import CONTACTS, EMAIL, SendGrid, counts, first_error, wait_for

ANNA, BEN = "anna@example.com", "ben@example.com"


def queue(sendgrid: SendGrid, *emails: str, **values: str) -> str:
    """Queue an upsert and return its job's id."""
    body = {"contacts": [{"email": email, **values} for email in emails]}
    return str(sendgrid.call("PUT", CONTACTS, body).json()["job_id"])


def effect(sendgrid: SendGrid, job_id: str) -> dict[str, Any]:
    """Return a job once its effect shows in the counts."""
    return wait_for(lambda: sendgrid.job(job_id), lambda job: len(counts(job)) > 1)


def test_counts_come_while_it_is_still_pending(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(delay=30, finish_delay=20)
    job_id = queue(sendgrid, ANNA)
    waiting = sendgrid.job(job_id)
    assert set(waiting) == {"id", "status", "job_type", "results", "started_at"}
    assert (waiting["status"], waiting["job_type"]) == ("pending", "upsert_contacts")
    assert waiting["results"] == {"requested_count": 1}
    assert sendgrid.admin.contacts() == {}
    sendgrid.admin.advance(30)
    running = effect(sendgrid, job_id)
    assert running["status"] == "pending"
    assert running["results"] == {"requested_count": 1, "created_count": 1}
    assert "finished_at" not in running
    assert list(sendgrid.admin.contacts()) == [ANNA]
    sendgrid.admin.advance(20)
    finished = sendgrid.wait(job_id)
    assert finished["status"] == "completed"
    assert finished["started_at"] == waiting["started_at"] < finished["finished_at"]


def test_created_at_is_the_request_and_updated_at_the_effect(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(delay=30)
    job_id = queue(sendgrid, ANNA)
    sendgrid.admin.advance(30)
    job = sendgrid.wait(job_id)
    contact = sendgrid.contact(ANNA)
    assert contact["created_at"] == job["started_at"] < contact["updated_at"]


def test_an_unknown_job_is_a_404(sendgrid: SendGrid) -> None:
    assert first_error(sendgrid.call("GET", f"{CONTACTS}/imports/nothing"))[0] == 404


def test_effects_keep_the_order_of_the_calls(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(delay=5)
    for city in ("one", "two", "three"):
        last = queue(sendgrid, ANNA, city=city)
    sendgrid.admin.advance(5)
    sendgrid.wait(last)
    assert sendgrid.contact(ANNA)["city"] == "three"


def test_a_slow_job_is_overtaken(sendgrid: SendGrid) -> None:
    sendgrid.admin.job_fault("slow", seconds=60)
    slow = queue(sendgrid, ANNA, city="first")
    sendgrid.wait(queue(sendgrid, ANNA, city="second"))
    assert sendgrid.job(slow)["status"] == "pending"
    sendgrid.admin.advance(60)
    sendgrid.wait(slow)
    assert sendgrid.contact(ANNA)["city"] == "first"


def test_a_job_may_never_start(sendgrid: SendGrid) -> None:
    sendgrid.admin.job_fault("never_starts")
    stuck = queue(sendgrid, ANNA)
    sendgrid.wait(queue(sendgrid, BEN))
    sendgrid.admin.advance(86_400)
    assert sendgrid.job(stuck)["results"] == {"requested_count": 1}
    assert list(sendgrid.admin.contacts()) == [BEN]


def test_a_job_may_never_finish_although_it_took_effect(sendgrid: SendGrid) -> None:
    sendgrid.admin.job_fault("never_finishes")
    job_id = queue(sendgrid, ANNA)
    effect(sendgrid, job_id)
    sendgrid.admin.advance(86_400)
    assert sendgrid.job(job_id)["status"] == "pending"
    assert list(sendgrid.admin.contacts()) == [ANNA]


def test_a_job_may_fail_halfway(sendgrid: SendGrid) -> None:
    sendgrid.admin.job_fault("fails_halfway", after_rows=1)
    job = sendgrid.wait(queue(sendgrid, ANNA, BEN))
    assert job["status"] == "failed"
    assert counts(job) == {"requested": 2, "created": 1}
    assert list(sendgrid.admin.contacts()) == [ANNA]


def test_a_job_may_lack_results(sendgrid: SendGrid) -> None:
    sendgrid.admin.job_fault("no_results")
    job = sendgrid.wait(queue(sendgrid, ANNA))
    assert job["status"] == "completed"
    assert "results" not in job


def test_a_job_fault_waits_for_the_nth_job_of_its_kind(sendgrid: SendGrid) -> None:
    sendgrid.admin.job_fault("no_results", job="csv", nth=2)
    for _ in range(2):
        assert "results" in sendgrid.upsert({"email": ANNA})
    data = f"email\n{ANNA}\n"
    shown = ["results" in sendgrid.import_csv([EMAIL], data) for _ in range(3)]
    assert shown == [True, False, True]
    assert sendgrid.admin.faults() == {"calls": [], "jobs": []}


def test_a_list_deleted_meanwhile_is_left_out(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(delay=30)
    clients = sendgrid.admin.create_list("clients")
    body = {"contacts": [{"email": ANNA}], "list_ids": [clients]}
    job_id = sendgrid.call("PUT", CONTACTS, body).json()["job_id"]
    sendgrid.call("DELETE", f"/v3/marketing/lists/{clients}")
    sendgrid.admin.advance(30)
    assert sendgrid.wait(job_id)["status"] == "completed"
    assert sendgrid.contact(ANNA)["list_ids"] == []


def test_the_administrator_can_prepare_contacts(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(delay=30)
    job_id = sendgrid.admin.put_contacts({"email": ANNA}, {"email": BEN})
    assert sendgrid.wait(job_id)["status"] == "completed"
    assert set(sendgrid.admin.contacts()) == {ANNA, BEN}
