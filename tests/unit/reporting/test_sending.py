"""The one sum of what a run sends, however its jobs ended."""

from __future__ import annotations

from typing import Any

from contact_sync.reporting.sending import JobSum, sending


def job(state: str, outcome: str | None, rows: int, **more: Any) -> JobSum:
    """Batches of the JSON lane, one that was planned."""
    given: dict[str, Any] = {"lane": "json", "status": None, "planned": True, "jobs": 1} | more
    return JobSum(state=state, outcome=outcome, rows=rows, **given)


def test_a_job_with_bad_rows_confirms_only_the_good_ones() -> None:
    """And SendGrid's own counts stand beside it."""
    found = sending(
        [job("settled", "applied", 20, status="errored", confirmed=17, rejected=3, created=17,
             errored=3)],
        20,
    )  # fmt: skip
    assert found.in_words == "20 to send = 17 confirmed + 3 rejected by SendGrid + 0 pending"
    assert found.at_sendgrid == "17 created, 0 updated, 3 errored"


def test_contacts_of_split_and_repeated_batches_count_once() -> None:
    """Twelve, in however many jobs; what no part confirmed or rejected is pending."""
    parts = [
        job("settled", "sent_again", 12, status="failed"),
        job("settled", "split", 12, planned=False, status="failed"),
        job("settled", "applied", 6, planned=False, status="completed", confirmed=6),
        job("settled", "rejected_alone", 1, planned=False, status="failed"),
        job("settled", "job_failed", 5, planned=False, status="failed"),
    ]
    assert sending(parts, 12).in_words == (
        "12 to send = 6 confirmed + 1 rejected by SendGrid + 5 pending"
    )


def test_who_left_a_batch_before_it_was_sent_is_told_apart() -> None:
    """Refused by name, excluded meanwhile, held back before the batches were planned."""
    found = sending(
        [
            job("settled", "applied", 10, refused=2, excluded=1, confirmed=7),
            job("settled", "all_refused", 3, refused=3),
            job("settled", "nothing_left", 2, excluded=2),
        ],
        16,
    )
    assert (found.confirmed, found.rejected, found.excluded, found.pending) == (7, 5, 4, 0)


def test_a_run_that_has_not_ended_or_failed_adds_up_too() -> None:
    """Moves aren't contacts to send, removals are counted apart, a void batch is pending."""
    found = sending(
        [
            job("submitted", None, 30, jobs=2),
            job("staged", None, 90),
            job("void", None, 4),
            job("settled", "moved", 9, lane="move"),
            job("settled", "removed", 5, lane="delete", removed=5),
        ],
        124,
    )
    assert (found.under_way, found.under_way_jobs, found.waiting) == (30, 2, 90)
    assert (found.pending, found.removed, found.to_send) == (4, 5, 124)


def test_without_a_plan_nothing_is_to_be_sent() -> None:
    """As after a check of the set-up that failed."""
    assert sending([], None).to_send == 0
