"""What reports say of excluded clients stays short, whatever B2CORE says."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from contact_sync.base.vocabulary import MAX_REASONS
from contact_sync.contacts.hash_keys import PLAIN
from contact_sync.contacts.text_columns import arrow
from contact_sync.contacts.transform import MAX_EXCLUSION, transform
from contact_sync.run.counting import Counts, with_few_reasons
from tests.support.samples import COLUMNS, mapping


def test_a_reason_of_its_own_for_each_client_is_no_report_without_end() -> None:
    """The most frequent ones are told apart; nobody is lost, in whatever chunks they come."""
    total = Counts()
    for chunk in range(20):
        said = {f"excluded_by_b2core: opted out at {chunk}:{n}": 1 for n in range(1000)}
        often = {"excluded_by_b2core: no consent": 100, "shared_address": 7}
        total.add(Counts(exclusions=with_few_reasons(Counter(said | often))))
    found = total.staged().exclusions
    assert len(found) == MAX_REASONS + 2
    assert sum(found.values()) == 20 * 1107
    assert (found["excluded_by_b2core: no consent"], found["shared_address"]) == (2000, 140)


def test_a_reason_to_exclude_is_short_and_holds_no_address() -> None:
    """Logs and reports have it; an empty one excludes, too."""
    said = ["no consent", None, "", " \u200b", "asked by ann@example.com on Monday", "é" * 200]
    columns = {field.name: pa.nulls(len(said), field.type) for field in COLUMNS}
    columns |= {"client_id": pa.array(range(len(said))), "exclusion": pa.array(said)}
    frame = transform(pa.record_batch(columns), mapping(), PLAIN).frame
    assert arrow(frame["exclusion"]).to_pylist() == [
        "no consent",
        None,
        "",
        "",
        "asked by … on Monday",
        "é" * MAX_EXCLUSION,
    ]
