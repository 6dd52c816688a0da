"""How much of B2CORE a run reads, by what was counted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.source_look import Look, LookWhy, SourceCounts, TableCounts
from contact_sync.base.vocabulary import RunKind
from contact_sync.run import decide_look
from contact_sync.run.decide_look import Asked, Decided
from contact_sync.state.affected import RunBefore

CLIENTS, PHONES, STATUSES = 1, 2, 3
PARTS = {"scan": [CLIENTS], "changed 0": [CLIENTS, STATUSES], "changed 1": [PHONES, STATUSES]}


def counts(horizon: int = 0, **changes: Any) -> SourceCounts:
    """Of three tables, all counts 10; a table read at `horizon`."""
    tables = {oid: TableCounts(f"crm.t{oid}", 7, 10, 10, 10, horizon) for oid in (1, 2, 3)}
    return replace(
        SourceCounts(PARTS, tables, whole_at="2026-01-01T00:00:00Z", covered=True), **changes
    )


def moved(oid: int, **changes: Any) -> SourceCounts:
    """With other counts of a table."""
    now = counts()
    return replace(now, tables=now.tables | {oid: replace(now.tables[oid], **changes)})


THEN = SourceSnapshot(counts=counts(100), horizon="100")
HERE = SourceSnapshot(
    detection="xmin", started="then", horizon="200", read_at="2026-01-01T00:10:00Z"
)
ASKED = Asked(RunKind.INCREMENTAL, False, False, HERE, counts())
FIT = RunBefore(
    "incremental", is_fit=True, was_quiet=True, is_verified=False, is_lifted=False, books={}
)


@pytest.mark.parametrize(
    ("now", "look", "detail", "read"),
    [
        (counts(), "nothing", None, {}),
        (moved(PHONES, inserted=11), "changes", None, {"changed 1": 100}),
        (moved(PHONES, deleted=11), "changes", None, {"changed 1": 100}),
        (moved(PHONES, file=8), "changes", None, {"changed 1": 100}),
        (moved(CLIENTS, updated=11), "changes", None, {"changed 0": 100}),
        (moved(STATUSES, updated=11), "changes", None, {"changed 0": 100, "changed 1": 100}),
        (moved(CLIENTS, deleted=11), "whole", "crm.t1", None),
        (moved(CLIENTS, file=8), "whole", "crm.t1", None),
    ],
    ids=["nothing", "phone", "a phone is gone", "phones reloaded", "client", "status",
         "a client is gone", "clients reloaded"],
)  # fmt: skip
def test_A24_what_is_read_of_what_was_written(
    now: SourceCounts, look: str, detail: str | None, read: dict[str, int] | None
) -> None:
    """The parts of tables that moved; everything where clients may be gone."""
    found = decide_look.decide_look(replace(ASKED, counts=now), THEN, FIT)
    assert (found.look, found.detail, found.read) == (look, detail, read)


WHOLE: dict[str, dict[str, Any]] = {
    "everybody": {"asked": {"kind": RunKind.FULL}},
    "rejected_again": {"asked": {"retry_rejected": True}},
    "detection": {"here": {"detection": "updated_at"}},
    "run_before": {"before": {"is_fit": False}},
    "verified": {"before": {"is_verified": True}},
    "lifted": {"before": {"is_lifted": True}},
    "held": {"then": {"held": 3}},
    "nothing_kept": {"then": {"counts": None}},
    "standby": {"asked": {"counts": SourceCounts(unusable=("standby", ""))}},
    "functions": {"then": {"counts": counts(unusable=("functions", "f"))}},
    "no_privilege": {"here": {"started": ""}},
    "reset": {"asked": {"counts": counts(reset_at="today")}},
    "long_ago": {"here": {"read_at": "2026-01-01T01:01:00Z"}},
    "not_covered": {"then": {"counts": counts(covered=False)},
                    "asked": {"counts": moved(CLIENTS, updated=11)}},
}  # fmt: skip


@pytest.mark.parametrize("why", WHOLE)
def test_A25_everything_is_read_where_counts_prove_nothing(why: str) -> None:
    """And the run says why."""
    change = WHOLE[why]
    here = replace(HERE, **change.get("here", {}))
    asked = replace(ASKED, here=here, **change.get("asked", {}))
    before = replace(FIT, **change.get("before", {}))
    found = decide_look.decide_look(asked, replace(THEN, **change.get("then", {})), before)
    assert (found.look, found.why, found.read) == (Look.WHOLE, why, None)


def test_A25_a_table_keeps_its_horizon_until_all_of_it_is_read() -> None:
    """A count may come after the rows: then they are found from where the table was read last."""
    decided = Decided(Look.CHANGES, LookWhy.COUNTS, read={"changed 0": 100})
    kept = decide_look.counts_to_keep(decided, counts(), THEN, HERE)
    assert kept is not None
    horizons = {oid: table.horizon for oid, table in kept.tables.items()}
    assert horizons == {CLIENTS: 200, STATUSES: 100, PHONES: 100}
    assert kept.oldest_horizon == 100
    whole = decide_look.counts_to_keep(Decided(Look.WHOLE, LookWhy.RESET), counts(), THEN, HERE)
    assert whole is not None
    assert {table.horizon for table in whole.tables.values()} == {200}
    assert whole.whole_at == HERE.read_at


def test_what_is_kept_comes_back_from_json() -> None:
    """With tables by number, and objects for rows."""
    stored = SourceSnapshot(counts=counts(5, unusable=("functions", "f"))).to_json()
    assert SourceSnapshot.from_json(json.loads(json.dumps(stored))).counts == counts(
        5, unusable=("functions", "f")
    )
