"""What is stored as a code is shown in words, wherever somebody reads it."""

from __future__ import annotations

import re
from enum import StrEnum

import psycopg
import pytest
from psycopg.types.json import Jsonb

from contact_sync.base import run_life, words
from contact_sync.base.changes import ChangeKind
from contact_sync.base.run_life import KindReason
from contact_sync.base.verdicts import CallsFor, ExportStatus, Verdict, VerificationState
from contact_sync.base.vocabulary import (
    UNPROVEN,
    ExclusionReason,
    Outcome,
    PendingReason,
    Refusal,
    RemovalReason,
    ValueProblem,
)
from contact_sync.lookup.explain import explain_client
from contact_sync.reporting.explanation_text import text
from contact_sync.reporting.run_report import text_report
from tests.support.world import API_KEY, World

REASONS: list[tuple[str, StrEnum]] = [
    *(("pending", code) for code in PendingReason),
    *(("rejected", code) for code in ValueProblem),
    *(("rejected", code) for code in Refusal),
    ("excluded", ExclusionReason.EXCLUDED_BY_B2CORE),
    ("excluded", ExclusionReason.EXCLUDED_ADDRESS),
    ("excluded", ExclusionReason.SUPPRESSED_AT_SENDGRID),
    ("shared", ExclusionReason.SHARED_ADDRESS),
]
STORED_SHARED = (None, None)
"""A shared address is a fate of its own: the ledger has no reason for it."""
OUTCOMES: list[Outcome | PendingReason] = [*Outcome, *UNPROVEN]
NUMBERS = {"confirmed": 1, "rejected": 0, "removed": 1, "deleted": 0, "contacts": 1,
           "moved": 1, "left": 0}  # fmt: skip


def looked_up(world: World, client: int) -> str:
    """What `python -m contact_sync explain` prints."""
    with world.sync() as sync:
        return text(explain_client(sync, client))


def assert_in_words(said: str, code: StrEnum, expected: str) -> None:
    """The words are there, the code isn't."""
    assert expected in said, code
    assert "_" not in code or code not in said, code


def test_every_reason_of_a_client_is_looked_up_in_words(world: World) -> None:
    """Stored as the product stores it; the detail is said, too."""
    client = world.add("ann@example.com")
    world.run()
    for state, code in REASONS:
        world.state(
            """UPDATE contact_sync.ledger SET state = %s, reason = %s, detail = %s,
                   field = CASE WHEN %s = 'rejected' THEN 'contact' END,
                   rejected_since = CASE WHEN %s = 'rejected' THEN now() END,
                   email = NULL, contact_hash = NULL, row_hash = NULL, filled = 0""",
            state, *STORED_SHARED if state == "shared" else (str(code), "odd"), state, state,
        )  # fmt: skip
        said = looked_up(world, client)
        assert_in_words(said, code, words.reason(code, None if state == "shared" else "odd"))
        assert state != "pending" or f"sends it again, because {words.reason(code)}" in said


def test_every_outcome_of_a_batch_is_looked_up_in_words(world: World) -> None:
    """With its numbers."""
    client = world.add("ann@example.com")
    world.run()
    for code in OUTCOMES:
        world.state(
            "UPDATE contact_sync.batch SET outcome = %s, numbers = %s", str(code), Jsonb(NUMBERS)
        )
        assert_in_words(looked_up(world, client), code, words.outcome(code, NUMBERS))


def test_every_reason_of_a_removal_is_looked_up_in_words(world: World) -> None:
    """Noted for one client, one after the other."""
    client = world.add("ann@example.com")
    world.run()
    for code in RemovalReason:
        world.state("DELETE FROM contact_sync.removal")
        world.state(
            """INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why)
               VALUES (1, 'old@example.com', 1, %s, %s)""",
            client, str(code),
        )  # fmt: skip
        assert_in_words(looked_up(world, client), code, words.REMOVALS[code])


def test_every_reason_of_a_runs_kind_is_reported_in_words(world: World) -> None:
    """In the report for people; the one for machines has the code."""
    world.run()
    for code in KindReason:
        world.state("UPDATE contact_sync.run SET kind_reason = %s, kind_detail = '24'", str(code))
        report = world.run_report()
        assert (report.kind_reason, report.kind_detail) == (code, "24")
        assert_in_words(text_report(report), code, run_life.kind_reason(code, "24"))


def allowed(world: World, table: str, constraint: str) -> list[set[str]]:
    """The lists of codes that a constraint has, in their order."""
    ((definition,),) = world.state(
        """SELECT pg_get_constraintdef(oid) FROM pg_constraint
           WHERE conrelid = %s::regclass AND conname = %s""",
        f"contact_sync.{table}", constraint,
    )  # fmt: skip
    lists = re.findall(r"ARRAY\[(.*?)\]", definition)
    return [set(re.findall(r"'(\w+)'::text", found)) for found in lists]


def test_the_database_takes_these_codes_and_no_others(world: World) -> None:
    """So that nothing without words can be stored."""
    pending, rejected, excluded = allowed(world, "ledger", "ledger_reason")
    assert pending == {*PendingReason}
    assert rejected == {*ValueProblem, *Refusal}
    assert excluded == {*ExclusionReason} - {ExclusionReason.SHARED_ADDRESS}
    assert allowed(world, "batch", "batch_outcome") == [set(OUTCOMES)]
    assert allowed(world, "run", "run_kind_reason") == [{*KindReason}]
    assert allowed(world, "removal", "removal_why_check") == [{*RemovalReason}]
    assert allowed(world, "verification", "verification_state") == [{*VerificationState}]
    assert allowed(world, "verification", "verification_export") == [{*ExportStatus}]
    assert allowed(world, "verify_client", "verify_client_calls_for") == [{*CallsFor}]
    assert allowed(world, "change", "change_kind") == [{*ChangeKind}]
    assert allowed(world, "finding", "finding_verdict") == [{*Verdict}]
    assert allowed(world, "dropped_value", "dropped_value_reason") == [
        {*ValueProblem, Refusal.REFUSED_BY_SENDGRID}
    ]


@pytest.mark.parametrize(
    "change",
    [
        "ledger SET state = 'pending', reason = 'made_up'",
        "ledger SET state = 'pending', reason = NULL",
        "ledger SET state = 'rejected', reason = 'job_failed'",
        "ledger SET state = 'excluded', reason = 'no consent'",
        "ledger SET reason = 'not_applied'",
        "batch SET outcome = '1 confirmed'",
        "run SET kind_reason = 'first load'",
    ],
)
def test_a_text_is_no_code(world: World, change: str) -> None:
    """Nor is a code of another state."""
    world.add("ann@example.com")
    world.run()
    with pytest.raises(psycopg.errors.CheckViolation):
        world.state(f"UPDATE contact_sync.{change}")


def test_a_client_that_is_held_for_an_unknown_opt_out_is_explained(world: World) -> None:
    """Its former address may be unsubscribed: why it waits is said, not named by a code."""
    client = world.add("old@example.com")
    world.run()
    world.edit(client, email="new@example.com")
    world.emulator.admin.add_key(API_KEY, "marketing")
    world.run()
    said = looked_up(world, client)
    assert "suppression_unknown" not in said
    assert (
        "The next run sends it again, because its former address may be unsubscribed, and "
        "SendGrid didn't say whether it is."
    ) in said
