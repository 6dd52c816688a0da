"""Every code of the vocabulary has words, and there are no words for what is no code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import pytest

from contact_sync.base import degraded, look_up, run_life, suppressed, vocabulary, words
from contact_sync.base.degraded import Degraded
from contact_sync.base.json_columns import AboveLimit
from contact_sync.base.look_up import NextDecision
from contact_sync.base.run_life import KindReason
from contact_sync.base.vocabulary import (
    UNPROVEN,
    Answer,
    BatchState,
    ExclusionReason,
    Lane,
    LimitName,
    Outcome,
    PendingReason,
    Refusal,
    RefusalSum,
    RemovalReason,
    SuppressionKind,
    ValueProblem,
)
from contact_sync.contacts.decision import Decision

REASONS = (PendingReason, ExclusionReason, ValueProblem, Refusal, RefusalSum)
TABLES: list[tuple[Mapping[str, Any], tuple[Iterable[StrEnum], ...]]] = [
    (words.REASONS, REASONS),
    (words.OUTCOMES, (Outcome, UNPROVEN)),
    (words.REMOVALS, (RemovalReason,)),
    (suppressed.KINDS, (SuppressionKind,)),
    (run_life.KINDS, (KindReason,)),
    (run_life.ENDED, (run_life.EndedWhy,)),
    (run_life.NOT_STARTED, (run_life.NotStarted,)),
    (words.LIMITS, (LimitName,)),
    (words.ANSWERS, (Answer,)),
    (degraded.DEGRADED, (Degraded,)),
    (words.LANES, (Lane,)),
    (words.BATCH_STATES, (BatchState,)),
    (look_up.DECISIONS, (NextDecision,)),
]
PLAIN_WORDS = {"RunKind", "RunState", "JobStatus", "FieldType"}
"""Enumerations whose members are what people read: `full`, `failed`, SendGrid's own words."""


@pytest.mark.parametrize(("table", "codes"), TABLES)
def test_every_code_has_words(
    table: Mapping[str, Any], codes: tuple[Iterable[StrEnum], ...]
) -> None:
    """And there is nothing else in the table."""
    members = [member for enumeration in codes for member in enumeration]
    assert set(table) == set(members)
    assert len({str(member) for member in members}) == len(members), "two codes of one name"
    for said in table.values():
        assert "_" not in str(said)


def test_no_enumeration_is_left_out() -> None:
    """A new one gets words, or is said to be words itself."""
    found = {
        name
        for module in (vocabulary, degraded, look_up, run_life)
        for name, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, StrEnum) and thing is not StrEnum
    }
    tested = {
        type(member).__name__
        for _table, codes in TABLES
        for enumeration in codes
        for member in enumeration
    }
    assert found == tested | PLAIN_WORDS


def test_numbers_and_details_are_part_of_the_sentence() -> None:
    """Each code's numbers, as its writers store them."""
    numbers = {"confirmed": 3, "rejected": 1, "not_applied": 2}
    assert words.outcome(Outcome.APPLIED, numbers) == "3 confirmed, 1 rejected, 2 not applied"
    assert words.outcome(Outcome.NOTHING_LEFT) == "nothing left to send"
    assert words.outcome(Outcome.UNLISTED, {"removed": 4}) == "4 taken off the list"
    unclear = words.outcome(Outcome.DELETIONS_UNCLEAR, {"deleted": 1, "contacts": 2})
    assert unclear == "1 of 2 deletions counted; the next run looks again"
    assert words.reason(Refusal.REFUSED_BY_SENDGRID, "bad date") == "SendGrid refused it: bad date"
    assert words.reason(Refusal.REFUSED_BY_SENDGRID) == "SendGrid refused it"
    assert run_life.kind_reason(KindReason.FULL_RUN_DUE, "24").endswith("older than 24 hours")
    since = run_life.kind_reason(KindReason.CHANGES_SINCE, "2026-11-26T05:19:11.000000Z")
    assert since == "changes since 26 Nov 2026, 05:19:11 UTC"
    assert words.degraded({Degraded.REJECTED: 1}, {}) == ["1 client is rejected"]
    assert words.degraded({Degraded.REJECTED: 2}, {}) == ["2 clients are rejected"]
    counts = {"excluded": 1, "sent": 2, "read": 3, "address_lost": 4}
    assert words.counts_in_order(counts) == [
        ("clients read", 3), ("address lost", 4), ("excluded", 1), ("sent", 2),
    ]  # fmt: skip
    above = words.above_limit(AboveLimit(LimitName.REMOVALS, 3, 2))
    assert above == "3 contacts would be removed, the limit is 2"
    above = words.above_limit(AboveLimit(LimitName.CHANGES, 1, 0))
    assert above == "1 contact would be changed, the limit is 0"
    above = words.above_limit(AboveLimit(LimitName.CLEARS, 3, 2, "city", 9))
    assert above == "city would be emptied in 3 of the 9 contacts that have it, the limit is 2"


@pytest.mark.parametrize(
    ("parts", "has_field", "said"),
    [
        (("email", "invalid", None), True, "email: not valid"),
        (("contact", "refused_by_sendgrid", "a: b"), True, "contact: SendGrid refused it: a: b"),
        (("excluded_by_b2core", "no consent"), False, "B2CORE excludes it: no consent"),
        (
            ("suppressed_at_sendgrid", "group_unsubscribe"),
            False,
            "SendGrid suppresses its address: unsubscribed from a group",
        ),
        (("excluded_address",), False, "a client with the same address is excluded"),
    ],
)
def test_a_reports_key_is_read_as_it_was_made(
    parts: tuple[str | None, ...], has_field: bool, said: str
) -> None:
    """Whatever the words of others hold."""
    key = words.counted(*parts)
    assert words.counted(*words.parts_of(key, has_field=has_field)) == key
    assert words.counted_in_words(key, has_field=has_field) == said


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("2026-11-26T05:19:11.000000Z", "26 Nov 2026, 05:19:11 UTC"),
        ("2026-11-26T05:19:11+05:00", "26 Nov 2026, 00:19:11 UTC"),
        ("2026-11-26 05:19:11", "26 Nov 2026, 05:19:11 UTC"),
        ("the last run", "the last run"),
        ("", ""),
    ],
)
def test_since_when_a_run_reads_changes_is_shown_as_every_time_is(stored: str, said: str) -> None:
    """Whatever an earlier version stored; what is no time is shown as it is."""
    assert run_life.kind_reason(KindReason.CHANGES_SINCE, stored) == f"changes since {said}"


def test_each_decision_of_a_run_has_its_code_in_a_look_up() -> None:
    """But for the one about an address that changes while a run reads: a look-up reads it once."""
    assert {decision.name for decision in Decision} - set(NextDecision.__members__) == {"MOVED"}
