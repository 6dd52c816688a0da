"""When a sync is compared with its SendGrid account, and what becomes of what isn't equal."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from contact_sync.config.schedule import Schedule
from contact_sync.config.strict import Strict


class Repair(StrEnum):
    """What a verification does about what isn't equal."""

    NONE = "none"  # it is written down; nobody is told
    REPORT = "report"  # it is written down, and people are told
    CONTACTS = "contacts"  # as `report`, and the next run repairs it


class Foreign(StrEnum):
    """What becomes of contacts on the sync's list that it never had."""

    KEEP = "keep"
    UNLIST = "unlist"


class Verify(Strict):
    """The comparison of every contact with what B2CORE calls for: the DAG
    contact_sync_NAME_verify, and `python -m contact_sync verify NAME`."""

    schedule: Schedule | None = Field(
        "@weekly",
        description="Cron expression of five columns or a preset, as the sync's own `schedule`; "
        "null = only by hand, as is `prune` then: nothing older than `retention` goes by itself.",
    )
    repair: Repair = Field(
        Repair.REPORT,
        description="report = people are told of what isn't equal; contacts = the next run sends "
        "it, too, and takes off the list what has no right to be there, under the same limits; "
        "none = it is only written down.",
    )
    foreign: Foreign = Field(
        Foreign.KEEP,
        description="Contacts on the sync's list that it never had. unlist = a repair takes them "
        "off the list, once a person has named their exact number; they stay in the account.",
    )
    unequal_limit: int = Field(
        0,
        ge=0,
        description="An alert when more contacts than this aren't equal. A contact that is on the "
        "list without right is told at once, whatever the number.",
    )
    export_hours: float = Field(
        12,
        gt=0,
        le=72,
        description="An export that SendGrid hasn't written by then counts as failed.",
    )
