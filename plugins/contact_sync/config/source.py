"""How a sync reads B2CORE."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contact_sync.config.strict import Strict


class ChangeDetection(StrEnum):
    """How an incremental run finds changed clients."""

    XMIN = "xmin"
    UPDATED_AT = "updated_at"


class Source(Strict):
    """How B2CORE is read."""

    sql: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,100}$")] = Field(
        "b2core", description="Folder in include/sql/ with the statements of the column contract."
    )
    change_detection: ChangeDetection = Field(
        ChangeDetection.XMIN,
        description="xmin needs SELECT on the tables and misses no commit; updated_at: views, too.",
    )
    overlap_minutes: int = Field(
        60,
        ge=1,
        le=10_080,
        description="updated_at only: must be longer than B2CORE's longest write transaction.",
    )
    statement_timeout_seconds: int = Field(
        600, ge=1, le=86_400, description="A statement that takes longer in B2CORE fails."
    )
    max_lag_minutes: int = Field(
        60,
        ge=0,
        le=10_080,
        description="A standby that is further behind its primary isn't read: the run fails.",
    )
