"""Sentences on pages are plain text, each time has one form, and each speaks of its own run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from contact_sync.base.look_up import NextDecision
from contact_sync.reporting.conclusion import conclude
from contact_sync.reporting.explanation import ClientDecision, Explanation, Known
from contact_sync.reporting.explanation_text import text
from contact_sync.reporting.run_report import run_report
from contact_sync.web import formats
from contact_sync.web.run_line import approval_of
from tests.support.samples import shown_run

AT = datetime(2026, 11, 26, 5, 19, 11, tzinfo=UTC)
ABOVE = {"limit": "changes", "n": 8, "allowed": 5}
LIMIT = "8 contacts would be changed, the limit is 5"


def explained(code: NextDecision, state: str) -> Explanation:
    """What is known of a client that SendGrid refused, or has confirmed, a while ago."""
    known = Known(state=state, field="contact", reason="refused_by_sendgrid", detail="", tries=1,
                  rejected_since=AT, absent=0, updated_at=AT, contact="ann@example.com", own=True,
                  sent=None)  # fmt: skip
    return Explanation(
        sync="demo", client_id=1, read_at="2026-11-26T05:19:11.000000Z", source={},
        email="ann@example.com", decision=ClientDecision(code), fields=[], choices=[], sharing={},
        known=known, staged=[], removals=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "state"),
    [(NextDecision.REFUSED, "rejected"), (NextDecision.UNCHANGED, "confirmed")],
)
def test_a_conclusion_has_no_markup_and_the_pages_form_of_times(
    code: NextDecision, state: str
) -> None:
    """What a page shows as text must not be Markdown, nor have a second form of times."""
    found = explained(code, state)
    assert "*" not in conclude(found)
    assert "2026-11" not in text(found)
    assert ("26 Nov 2026, 05:19:11 UTC" in conclude(found)) == (code is NextDecision.UNCHANGED)
    assert "as of 26 Nov 2026, 05:19:11 UTC" in text(found)


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (
            ClientDecision(NextDecision.EXCLUDED, reason="missing"),
            "because B2CORE excludes it: missing.",
        ),
        (ClientDecision(NextDecision.EXCLUDED, reason="{by}"), "because B2CORE excludes it: {by}."),
        (ClientDecision(NextDecision.EXCLUDED), "because B2CORE excludes it."),
        (ClientDecision(NextDecision.BARRED, by=7), "because client 7 has the same address and is"),
        (
            ClientDecision(NextDecision.SHARED, by=7),
            "because client 7, which is newer, has the",
        ),
        (
            ClientDecision(NextDecision.REJECTED, "email", "invalid"),
            "because its email is not valid. Correct it in B2CORE.",
        ),
        (
            ClientDecision(NextDecision.REMOVED),
            "because a person deleted its contact at SendGrid or took it off the list. A run with",
        ),
    ],
)
def test_why_a_client_is_kept_back_is_said_in_one_sentence(
    decision: ClientDecision, said: str
) -> None:
    """B2CORE's own words stay as they are; that SendGrid still has a contact is said, too."""
    concluded = conclude(replace(explained(decision.code, "confirmed"), decision=decision))
    assert concluded.startswith(f"It isn't sent, {said}")
    is_there = concluded.endswith("Its contact at SendGrid is as it was confirmed last.")
    assert is_there == (decision.code is not NextDecision.REMOVED)


def test_a_moment_is_in_utc_whatever_its_zone() -> None:
    """It says so itself."""
    assert (
        formats.moment(AT.astimezone(timezone(timedelta(hours=5)))) == "26 Nov 2026, 05:19:11 UTC"
    )
    assert formats.moment(None) == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("dry_run", "above", "said"),
    [
        (True, [ABOVE], ["a real run would ask", LIMIT]),
        (False, [ABOVE], ["the plan is above the limits", LIMIT]),
        (False, [], ["not needed: the plan is within the limits"]),
    ],
)
def test_only_a_dry_run_speaks_of_a_real_one(
    dry_run: bool, above: list[dict[str, Any]], said: list[str]
) -> None:
    """A real run is one."""
    found = run_report(shown_run(dry_run=dry_run, plan={"above_limits": above}))
    assert approval_of(found, has_plan=True) == said
