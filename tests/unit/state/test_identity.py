"""R: what speaks for a state database that went back, and what doesn't."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from contact_sync.base.marks import Mark, Phase
from contact_sync.state import identity, statements
from contact_sync.state.identity import Known, undone_rename

LIFE = "6f7e1c1e-0000-0000-0000-000000000001"
ENDED = Mark(LIFE, 7, "token of 7", Phase.ENDED)
BEGUN = replace(ENDED, phase=Phase.BEGUN)
WHOLE = Known(
    life=LIFE, has_read=True, unproven=None, newest=7, is_marked=True, mark_token="token of 7",
    mark_is_open=False, is_whole=True, same_server=True, same_start=True,
    former_name=None, former_newest=None, here={},
)  # fmt: skip
UNKNOWN = {"mark_token": None, "mark_is_open": None}


@pytest.mark.parametrize(
    ("known", "mark", "why"),
    [
        ({}, ENDED, None),
        ({}, BEGUN, None),
        ({}, None, None),
        ({"mark_is_open": True}, BEGUN, None),
        ({"newest": 9}, ENDED, None),
        ({"newest": 9} | UNKNOWN, ENDED, None),  # a run that was forgotten as old runs are
        ({"newest": None, "is_whole": None, "has_read": False}, ENDED, None),
        (
            {"newest": 7, "is_whole": None, "has_read": False},
            None,
            None,
        ),  # a failed first load
        ({"same_server": False}, ENDED, None),
        ({"same_start": False}, ENDED, None),
        ({"same_start": False}, BEGUN, None),  # its end was stored, and not told to the mark
        ({"is_marked": False}, replace(ENDED, life="of one that is lost"), None),
        ({}, replace(ENDED, life="of another one"), "state_went_back"),
        ({"newest": 5} | UNKNOWN, ENDED, "state_went_back"),
        ({"newest": 5} | UNKNOWN, BEGUN, "state_went_back"),
        ({"mark_token": "of the run that has the number now"}, ENDED, "state_went_back"),
        ({"mark_is_open": True}, ENDED, "state_went_back"),
        ({"is_whole": False}, ENDED, "state_restored"),
        ({"is_whole": None}, ENDED, "state_restored"),
        ({"is_whole": False, "same_start": False}, None, "state_restored"),
        ({"same_server": False, "same_start": False}, None, "state_moved"),
        ({"same_start": False}, None, "state_restarted"),
        ({"same_start": False, "newest": 9}, ENDED, "state_restarted"),
        ({"same_start": False, "mark_is_open": True}, BEGUN, "state_restarted"),
        ({"same_server": False, "mark_is_open": True}, BEGUN, "state_moved"),
        ({"same_start": False, "is_marked": False}, replace(ENDED, life="x"), "state_restarted"),
    ],
)
def test_R11_R12_why_a_ledger_is_not_believed(
    known: dict[str, object], mark: Mark | None, why: str | None
) -> None:
    """Each line of the table in `doubt_of`, and what must not look like it."""
    assert identity.doubt_of(replace(WHOLE, **known), mark) == why  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "mark", "former"),
    [
        (UNKNOWN | {"former_newest": 5}, ENDED, "before"),
        (UNKNOWN | {"former_newest": None}, BEGUN, "before"),
        ({"mark_token": "of the run that has the number now", "former_newest": 9}, ENDED, "before"),
        ({"former_newest": 9}, ENDED, None),  # the name was given back since
        (UNKNOWN | {"former_newest": 9}, ENDED, None),  # a run that was forgotten as old runs are
        (UNKNOWN | {"former_newest": 5, "newest": 1}, ENDED, None),
        (UNKNOWN | {"former_name": None}, ENDED, None),
        (UNKNOWN | {"former_newest": 5}, None, None),
    ],
)
def test_R11_R01_whether_a_restore_has_undone_a_rename(
    known: dict[str, object], mark: Mark | None, former: str | None
) -> None:
    """The sync isn't known by its name, and another one has its life."""
    new = replace(WHOLE, newest=None, former_name="before", former_newest=7)
    assert undone_rename(replace(new, **known), mark) == former  # type: ignore[arg-type]


def condition(statement: str) -> str:
    """When a row of evidence is whole, in one line."""
    found = re.search(r"i\.xmin = .*?\bEND\b", statement, re.DOTALL)
    assert found
    return " ".join(found.group().replace("s.sync_id", "i.sync_id").split())


def test_R12_a_migration_judges_evidence_as_runs_do() -> None:
    """One condition stands in both statements: a migration renews what a run would believe."""
    run, migration = statements.load("identity")["look"], statements.load("migrate")["create_whole"]
    assert "ledger_file" in condition(run)
    assert condition(run) == condition(migration)
