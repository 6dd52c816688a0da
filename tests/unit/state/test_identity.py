"""R: what speaks for a state database that went back, and what doesn't."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contact_sync.base.marks import Mark, Phase
from contact_sync.state.identity import Known, doubt_of

LIFE = "6f7e1c1e-0000-0000-0000-000000000001"
ENDED = Mark(LIFE, 7, "token of 7", Phase.ENDED)
BEGUN = replace(ENDED, phase=Phase.BEGUN)
WHOLE = Known(
    life=LIFE, has_read=True, unproven=None, newest=7, is_marked=True, mark_token="token of 7",
    mark_is_open=False, is_whole=True, same_server=True, same_start=True, here={},
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
        ({"same_start": False, "mark_is_open": True}, BEGUN, None),
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
        ({"same_start": False, "is_marked": False}, replace(ENDED, life="x"), "state_restarted"),
    ],
)
def test_R11_R12_why_a_ledger_is_not_believed(
    known: dict[str, object], mark: Mark | None, why: str | None
) -> None:
    """Each line of the table in `doubt_of`, and what must not look like it."""
    assert doubt_of(replace(WHOLE, **known), mark) == why  # type: ignore[arg-type]
