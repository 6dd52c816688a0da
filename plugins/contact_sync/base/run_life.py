"""Why a run was ended by another one: it couldn't write its own end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class EndedWhy(StrEnum):
    """Column `run.ended_why`."""

    LEASE_RUN_OUT = "lease_run_out"
    TAKEN_OVER = "taken_over"
    TRIED_AGAIN = "tried_again"
    TOO_OLD = "too_old"


ENDED: Mapping[str, str] = {
    EndedWhy.LEASE_RUN_OUT: "it gave no sign of life until its lease had run out",
    EndedWhy.TAKEN_OVER: "a person let the newer run take its lease over",
    EndedWhy.TRIED_AGAIN: "its first task was tried again, and began anew",
    EndedWhy.TOO_OLD: "it was a dry run without a result for longer than `deadlines.run_hours`",
}
"""What people read: what follows "because"."""
