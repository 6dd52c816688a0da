"""What is kept as JSON: nothing is lost in it, and what an earlier version wrote is understood."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contact_sync.base.json_columns import (
    AboveLimit,
    Approval,
    JobCounts,
    JobReport,
    JsonColumn,
    Plan,
    Result,
    SourceSnapshot,
    Staged,
)
from contact_sync.base.vocabulary import Answer, Job, JobStatus
from contact_sync.contacts.destination import Destination
from tests.support.samples import mapping

SNAPSHOT = {
    "read_at": "2026-01-01T00:00:00.000000Z", "horizon": "1000", "next_xid": "2000",
    "system_identifier": "7", "timeline": 1, "database": "5",
    "started": "2026-01-01T00:00:00.000000Z", "tables": {"b": "1"}, "statements": "0123456789",
    "lag_seconds": 0, "detection": "xmin",
    "selected": 9, "chosen": 4, "gone": 2, "held": 2, "retiring": 0,
    "warned": {"bounce": 1},
    "look": "changes", "look_why": "counts", "look_detail": None,
    "counts": {
        "parts": {"scan": [7]}, "reset_at": "", "whole_at": "2026-01-01T00:00:00.000000Z",
        "unusable": None, "covered": True, "catalogs": "1259/5/2/1",
        "tables": {
            "7": {"name": "b2core.client", "file": 7, "inserted": 3, "updated": 2, "deleted": 1,
                  "horizon": 9},
        },
    },
}  # fmt: skip
STAGED = {
    "counts": {"read": 4, "new": 2}, "rejections": {"email: invalid": 1},
    "exclusions": {"excluded_by_b2core: no consent": 1}, "dropped": {"city: too_long": 1},
    "stale": {"born": 1}, "emptied": {"city": 1}, "examples": {"email: invalid": [3]},
}  # fmt: skip
ABOVE = {"limit": "clears", "n": 9, "allowed": 4, "field": "city", "having": 20}
PLAN = STAGED | {
    "held_absences": 2, "warned": {"bounce": 1}, "above_limits": [ABOVE], "compared": 3,
    "changed_fields": {"city": 2},
}  # fmt: skip
JOB = {
    "batch_id": 3, "lane": "csv", "rows": 2, "state": "settled", "job_id": "j", "status": "errored",
    "outcome": "applied", "numbers": {"confirmed": 1, "rejected": 1}, "seconds": 1.5,
}  # fmt: skip
COUNTS = {"requested": 2, "created": 1, "updated": 0, "deleted": 0, "errored": 1}
RESULT = {
    "books": {"selected": 9, "confirmed": 8}, "jobs": [JOB],
    "refused": {"contact: refused_by_sendgrid: bad": 1},
    "degraded": {"rejected": 1},
    "degraded_new": {"rejected": 1},
    "sending": {"to_send": 2, "confirmed": 1, "rejected": 1},
    "dropped": {"phone_number: refused_by_sendgrid": 1},
    "dropped_now": {"city: too_long": 3}, "dropped_new": {}, "restrained_by": {"old": 2},
}  # fmt: skip
WRITTEN: list[tuple[type[JsonColumn], dict[str, Any]]] = [
    (SourceSnapshot, SNAPSHOT),
    (Staged, STAGED),
    (Plan, PLAN),
    (Result, RESULT),
    (JobReport, JOB),
    (JobCounts, COUNTS),
    (Approval, {"why": [ABOVE], "decision": None}),
    (Approval, {"why": [ABOVE], "decision": "refused", "by": "ann"}),
    (Approval, {"decision": "approved", "by": "command line box:1"}),
    (Destination, Destination(mapping(), "0123456789abcdef", "Clients").to_json()),
    (Destination, Destination(mapping(), "0123456789abcdef", None).to_json()),
]
"""As each column is written."""


@pytest.mark.parametrize(("kind", "written"), WRITTEN)
def test_what_was_written_is_read_and_written_again_as_it_was(
    kind: type[JsonColumn], written: dict[str, Any]
) -> None:
    """Every key, through real JSON."""
    read = kind.from_json(json.loads(json.dumps(written)))
    assert json.loads(json.dumps(read.to_json())) == written


@pytest.mark.parametrize(("kind", "written"), WRITTEN)
def test_a_key_of_another_version_is_left_out(
    kind: type[JsonColumn], written: dict[str, Any]
) -> None:
    """It may be a later one's, when that is rolled back."""
    assert kind.from_json(written | {"of_another_version": 1}) == kind.from_json(written)


def test_a_mapped_field_leaves_out_what_it_does_not_know() -> None:
    """The same, one level below."""
    written = Destination(mapping(), "v", None).to_json()
    written["mapping"]["email"]["of_another_version"] = 1
    assert Destination.from_json(written).mapping == mapping()


def test_missing_keys_have_defaults() -> None:
    """Nothing was counted; a snapshot of no server is compared with none."""
    assert SourceSnapshot.from_json({"read_at": "2026-01-01T00:00:00Z"}).held == 0
    assert SourceSnapshot.from_json({}).system_identifier == ""
    assert Plan.from_json({"counts": {"read": 4}}) == Plan(counts={"read": 4})
    assert Result.from_json({"dry_run": True}) == Result()
    assert Staged.from_json({}) == Staged()
    planned = {"batch_id": 3, "lane": "csv", "rows": 2, "state": "staged"}
    assert JobReport.from_json(planned) == JobReport(3, "csv", 2, "staged")


def test_what_sendgrid_counted_is_kept_without_the_signed_url() -> None:
    """Of the job, the numbers alone; the people's form leaves out what is 0."""
    job = Job("j", JobStatus.ERRORED, requested=2, created=1, errored=1, errors_url="https://x/sig")
    assert JobCounts.of(job).to_json() == COUNTS
    assert JobCounts.of(job).some == {"requested": 2, "created": 1, "errored": 1}


def test_a_column_that_is_still_null_is_no_object() -> None:
    """A run that has no plan yet is told from one whose plan is empty."""
    assert Plan.of_column(None) is None
    assert Plan.of_column({}) == Plan()


@pytest.mark.parametrize(
    ("approval", "awaited"),
    [
        (Approval(why=(AboveLimit.from_json(ABOVE),)), True),
        (
            Approval(why=(AboveLimit.from_json(ABOVE),), decision=Answer.APPROVED, by="ann"),
            False,
        ),
        (Approval(decision=Answer.APPROVED, by="ann"), False),
    ],
)
def test_an_approval_is_awaited_until_somebody_answers(approval: Approval, awaited: bool) -> None:
    """One that was given beforehand needs no answer."""
    assert approval.is_awaited is awaited
